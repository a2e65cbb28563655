/**
 * A graph of one product in which a processor that cuts off sums gives itself away:
 * four inputs of 1 (the largest of 8 bits) by four weights of 127 (the largest signed).
 * As bytes, because making them would load the protobuf code; the test beside has the graph.
 */
export const saturationProbe = {
  graph: Uint8Array.from(
    atob(
      "CAgSCHRpbnlncHR2OrUBClMKAXgKBWNvZGVzCgZzY2FsZXMSAXkaFi9EeW5hbWljUXVhbnRpemVNYXRNdWwiFUR5bmFt" +
        "aWNRdWFudGl6ZU1hdE11bDoNY29tLm1pY3Jvc29mdBIKc2F0dXJhdGlvbioTCgIEARADQgVjb2Rlc0oEf39/fyoTCgEB" +
        "EAFCBnNjYWxlc0oEAACAP1oTCgF4Eg4KDAgBEggKAggBCgIIBGITCgF5Eg4KDAgBEggKAggBCgIIAUIECgAQEUIRCg1j" +
        "b20ubWljcm9zb2Z0EAE=",
    ),
    (character) => character.charCodeAt(0),
  ),
  /** What the product is; 257 where sums of two are cut off at 32,767. */
  exact: 508,
};
