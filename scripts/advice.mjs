/** What to do about failures that newcomers meet, by what npm and pnpm print of them. */
const advice = [
  {
    sign: /ENOSPC|no space left/i,
    text: "The disk is full: free about 2 GB and run the command again.",
  },
  {
    sign: /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|dns error|error sending request/i,
    text:
      "The npm registry cannot be reached: check the network, the proxy (HTTPS_PROXY) and " +
      "`npm config get registry`, then run the command again.",
  },
  {
    sign: /EACCES|EPERM|permission denied/i,
    text: "A folder cannot be written: see above which one, and who owns it.",
  },
  {
    sign: /ERR_PNPM_OUTDATED_LOCKFILE/,
    text: "A package.json was changed: run `pnpm install --no-frozen-lockfile` to bring the lock file up to date.",
  },
];

/**
 * @param {string} output what the failed program wrote
 * @returns {string}
 */
export function adviceOn(output) {
  return advice.find(({ sign }) => sign.test(output))?.text ?? "See above for what it said.";
}
