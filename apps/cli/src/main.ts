#!/usr/bin/env node
import { runProgram } from "./program.ts";
import { tolerateClosedPipes } from "./terminal/output.ts";

tolerateClosedPipes();
process.exitCode = await runProgram(process.argv);
