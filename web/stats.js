// stats.js: the few figures of a connection out of RTCPeerConnection.getStats(). Pure.

// {rttMs, loss, jitterMs, way, cipher} of what is known; loss in percent since the last call. `last` is kept by
// the caller: {} at first.
export function figures(report, last) {
  const out = {};
  let transport = null;
  for (const s of report.values()) {
    if (s.type === 'transport') transport = s;
    if (s.type === 'inbound-rtp' && s.kind === 'audio') {
      out.loss = lossSince(s, last);
      if (Number.isFinite(s.jitter)) out.jitterMs = Math.round(s.jitter * 1000);
    }
  }
  if (transport?.srtpCipher) out.cipher = transport.srtpCipher;
  const pair = report.get(transport?.selectedCandidatePairId) ?? nominated(report);
  if (!pair) return out;
  if (Number.isFinite(pair.currentRoundTripTime)) out.rttMs = Math.round(pair.currentRoundTripTime * 1000);
  out.way = report.get(pair.localCandidateId)?.candidateType === 'relay' ? 'relay' : 'direct';
  return out;
}

function lossSince(s, last) {
  const lost = Math.max(0, (s.packetsLost ?? 0) - (last.lost ?? 0));
  const got = Math.max(0, (s.packetsReceived ?? 0) - (last.got ?? 0));
  last.lost = s.packetsLost ?? 0;
  last.got = s.packetsReceived ?? 0;
  return lost + got > 0 ? Math.round((1000 * lost) / (lost + got)) / 10 : 0;
}

// Browsers without a transport entry mark the pair itself.
function nominated(report) {
  for (const s of report.values()) if (s.type === 'candidate-pair' && s.nominated && s.state === 'succeeded') return s;
  return null;
}
