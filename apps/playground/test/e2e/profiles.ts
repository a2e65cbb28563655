/** Profiles of the browser: one test has them after the other. */
import type { Browser, BrowserContext, BrowserContextOptions, CDPSession } from "playwright-core";

/** What pages keep; files of the page stay in the browser's caches, which makes opening it twice as cheap. */
const kept = "cookies,local_storage,indexeddb,cache_storage,service_workers";

interface Profile {
  context: BrowserContext;
  /** Options it was made with. */
  made: string;
  /** Of a page that stays open, and can empty the profile while no other is. */
  session: CDPSession;
  isTaken: boolean;
}

export interface Profiles {
  /** An empty profile that nobody has: until `release`. */
  take(options: BrowserContextOptions): Promise<BrowserContext>;
  /** Closes all pages. */
  release(): Promise<void>;
}

/** @param origin whose pages are opened in them */
export function createProfiles(browser: Browser, origin: string): Profiles {
  const profiles: Profile[] = [];

  async function create(options: BrowserContextOptions): Promise<Profile> {
    const context = await browser.newContext(options);
    const session = await context.newCDPSession(await context.newPage());
    const profile = { context, made: JSON.stringify(options), session, isTaken: true };
    profiles.push(profile);
    context.once("close", () => profiles.splice(profiles.indexOf(profile), 1));
    return profile;
  }

  return {
    async take(options) {
      const made = JSON.stringify(options);
      const free = profiles.find((one) => !one.isTaken && one.made === made);
      if (free === undefined) return (await create(options)).context;
      free.isTaken = true;
      await free.session.send("Storage.clearDataForOrigin", { origin, storageTypes: kept });
      return free.context;
    },
    async release() {
      const taken = profiles.filter(({ isTaken }) => isTaken);
      await Promise.all(
        taken.map(async (profile) => {
          const [, ...pages] = profile.context.pages();
          await Promise.all(pages.map((page) => page.close()));
          await profile.context.setOffline(false);
          profile.isTaken = false;
        }),
      );
    },
  };
}
