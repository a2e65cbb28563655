/** The share of a process' descriptors that connections may take: the store and the engine need some. */
const share = 0.75;

/** As many connections as are wanted, as far as the process' limit of open files goes. */
export function connectionLimit(wanted: number): number {
  const { userLimits } = process.report.getReport() as {
    userLimits?: { open_files?: { soft: number | string } };
  };
  // Not known on Windows, and "unlimited" on some systems.
  const files = Number(userLimits?.open_files?.soft);
  return Number.isFinite(files) ? Math.min(wanted, Math.floor(files * share)) : wanted;
}
