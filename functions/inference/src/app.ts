import { Hono } from "hono";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { HTTPException } from "hono/http-exception";
import { methodNotAllowed } from "hono/method-not-allowed";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { pino } from "pino";
import type { Logger } from "pino";
import type { Engine } from "@tinygptv/protocol";
import { createActivity } from "./activity.ts";
import type { Activity } from "./activity.ts";
import { createByteBudget } from "./byteBudget.ts";
import { configSchema } from "./config.ts";
import type { ConfigInput } from "./config.ts";
import { HttpError } from "./errors.ts";
import { createFetchPicture } from "./images/fetchPicture.ts";
import type { FetchPicture } from "./images/fetchPicture.ts";
import { createPictureLoader } from "./images/loadPictures.ts";
import { createHoldings } from "./holdings.ts";
import { createPictureStore } from "./images/pictureStore.ts";
import { createMetrics } from "./metrics.ts";
import { createAdmission, refuseWhileDraining, retrySeconds } from "./middleware/admission.ts";
import { authenticate } from "./middleware/auth.ts";
import { limitConcurrency } from "./middleware/concurrency.ts";
import { followLifetime } from "./middleware/lifetime.ts";
import { observe } from "./middleware/observe.ts";
import { allowOrigins } from "./middleware/origin.ts";
import { createModelDirectory } from "./modelDirectory.ts";
import { createNotebookStore } from "./notebookStore.ts";
import { chatRoutes } from "./routes/chat.ts";
import { compareRoutes } from "./routes/compare.ts";
import { docsRoutes } from "./routes/docs.ts";
import { fineTuningRoutes } from "./routes/fineTuning.ts";
import { imageRoutes } from "./routes/images.ts";
import { modelRoutes } from "./routes/models.ts";
import { notebookRoutes, sharedNotebookRoutes } from "./routes/notebooks.ts";
import { answerNotFound } from "./routes/notFound.ts";
import { preprocessRoutes } from "./routes/preprocess.ts";
import { responseRoutes } from "./routes/responses.ts";
import { scoreRoutes } from "./routes/score.ts";
import { metricsRoutes, stateRoutes } from "./routes/state.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import type { AppEnv, Services } from "./services.ts";
import type { Store } from "./store/store.ts";
import { createSweep } from "./sweep.ts";
import type { Trainings } from "./training/trainings.ts";

export interface AppOptions {
  readonly engine: Engine;
  /** Where uploaded pictures and shared notebooks are kept. */
  readonly store: Store;
  readonly config?: ConfigInput;
  /** Silent where not given. */
  readonly log?: Logger;
  /** What runs; the server's shutdown waits for it. */
  readonly activity?: Activity;
  /** Fine-tuning; refused where not given. */
  readonly trainings?: Trainings;
  /** How http(s) pictures are downloaded; tests give their own. */
  readonly fetchPicture?: FetchPicture;
}

export type EndpointApp = Hono<AppEnv>;

/**
 * The endpoint as a Hono app. It loads nothing and listens nowhere: the engine
 * and the store come from outside, so it runs as well in a test or inside
 * another server.
 */
export function createApp(options: AppOptions): EndpointApp {
  const { engine, store, log = pino({ enabled: false }), activity = createActivity() } = options;
  const config = configSchema.parse(options.config ?? {});
  const { limits } = config;
  const { fetchPicture = createFetchPicture({ limits, useProxy: config.useProxy }) } = options;
  const holdings = createHoldings(store, limits);
  const pictureStore = createPictureStore(store, holdings);
  const notebookStore = createNotebookStore(store, holdings);
  const budget = (of: string) => ({
    bytes: limits.bytesInFlight,
    // One of several keys leaves the others half.
    bytesPerCaller: limits.bytesInFlight / (config.keys.length > 1 ? 2 : 1),
    line: limits.preparing,
    of,
  });
  const services: Services = {
    engine,
    store,
    config,
    log,
    activity,
    metrics: createMetrics(() => engine.status()),
    models: createModelDirectory(engine),
    trainings: options.trainings,
    bodies: createByteBudget(budget("bodies")),
    admit: createAdmission({ engine, config }),
    pictures: createPictureLoader({
      store: pictureStore,
      fetchPicture,
      limits,
      room: createByteBudget(budget("pictures")),
    }),
    pictureStore,
    notebookStore,
    sweep: createSweep({ holdings, pictures: pictureStore, notebooks: notebookStore, log }),
  };

  const app = new Hono<AppEnv>();
  const authenticated = authenticate(config);
  app
    .use(requestId())
    .use(followLifetime(services))
    .use(observe(services))
    .use(secureHeaders())
    .use(allowOrigins(config.corsOrigins, config.keys.length > 0))
    .use(methodNotAllowed({ app, onMethodNotAllowed: refuseMethod }))
    .onError((error, c) => answerError(error, c, services))
    .notFound(answerNotFound)
    .route("/", stateRoutes(services))
    .route("/", docsRoutes(app))
    .route("/", sharedNotebookRoutes(services))
    .use("/metrics", authenticated)
    .use(
      "/v1/*",
      authenticated,
      refuseWhileDraining(services),
      limitConcurrency(limits.concurrencyPerKey),
    )
    .route("/", metricsRoutes(services))
    .route("/", chatRoutes(services))
    .route("/", responseRoutes(services))
    .route("/", compareRoutes(services))
    .route("/", scoreRoutes(services))
    .route("/", tokenRoutes(services))
    .route("/", preprocessRoutes(services))
    .route("/", imageRoutes(services))
    .route("/", modelRoutes(services))
    .route("/", notebookRoutes(services))
    .route("/", fineTuningRoutes(services));
  return app;
}

function refuseMethod(c: Context, methods: readonly string[]): Response {
  const allow = methods.join(", ");
  const error = new HttpError("method_not_allowed", `${c.req.method}: want ${allow}`);
  return c.json(error.body, 405, { allow });
}

/** The one place where errors become answers. */
function answerError(error: unknown, c: Context<AppEnv>, { engine }: Services): Response {
  // Middleware of hono (authentication) brings a response of its own.
  if (error instanceof HTTPException) return error.getResponse();
  const { status, body, headers, code, cause } = c.get("life").explain(error);
  Object.assign(c.get("logFields"), { code, ...(status >= 500 && cause ? { err: cause } : {}) });
  if (status === 429 || status === 503)
    c.header("retry-after", String(retrySeconds(engine.status())));
  return c.json(body, status as ContentfulStatusCode, headers);
}
