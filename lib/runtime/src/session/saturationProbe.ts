/**
 * A graph of one product in which a processor that cuts off sums gives itself away:
 * four inputs of 1 (the largest of 8 bits) by four weights of 127 (the largest signed).
 * As bytes, because making them would load the protobuf code; the test beside has the graph.
 */
export const saturationProbe = {
  graph: Buffer.from(
    "CAgSCHRpbnlncHR2OoMCCmoKAXgKBWNvZGVzCgZzY2FsZXMSGC9EeW5hbWljUXVhbnRpemVNYXRNdWw6MBoWL0R5bmFt" +
      "aWNRdWFudGl6ZU1hdE11bCIVRHluYW1pY1F1YW50aXplTWF0TXVsOg1jb20ubWljcm9zb2Z0CjUKGC9EeW5hbWljUXVh" +
      "bnRpemVNYXRNdWw6MBIBeRoKL291dHB1dHMveSIISWRlbnRpdHk6ABIKc2F0dXJhdGlvbioTCgIEARADQgVjb2Rlc0oE" +
      "f39/fyoTCgEBEAFCBnNjYWxlc0oEAACAP1oTCgF4Eg4KDAgBEggKAggBCgIIBGITCgF5Eg4KDAgBEggKAggBCgIIAUIE" +
      "CgAQEUIRCg1jb20ubWljcm9zb2Z0EAE=",
    "base64",
  ),
  /** What the product is; 257 where sums of two are cut off at 32,767. */
  exact: 508,
};
