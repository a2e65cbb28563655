/** The endpoint as a Vercel function of the Node runtime: one handler for all methods and paths. */
import { handle } from "hono/vercel";
import { openEndpoint } from "./node.ts";

const { app } = await openEndpoint(process.env);
const handler = handle(app);

export { handler as DELETE, handler as GET, handler as OPTIONS, handler as POST };
