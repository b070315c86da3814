/* emodel.h: what a listener would say of a link: the E-model of ITU-T G.107, reduced to what a packet line of
 * Opus shows: loss that was heard, its bursts, and delay. Pure; any thread.
 *
 *   R = 93.2 - Idd(delay) - Ie,eff,   Ie,eff = Ie + (95 - Ie) * Ppl / (Ppl / BurstR + Bpl)
 *
 * 93.2 is what G.107's defaults leave (table 3); Idd is its formula 3-27 and 3-28, echo being left to the
 * cancellers. Ie and Bpl of Opus are an assumption: G.113 appendix I has no row for it. Bpl 19 is that of
 * G.729A, a speech codec that conceals by prediction as Opus does; Ie is 0 from 24 kb/s up, as the scale ends
 * at undisturbed telephone sound, and grows to 11 (G.729A's) at 8 kb/s. So MOS here compares lines with each
 * other and in time; it is no listening test. */
#ifndef GAVEL_MEDIA_EMODEL_H
#define GAVEL_MEDIA_EMODEL_H

#include <stdint.h>

struct emodel_in {
  double heard_loss_pct; /* of the sound, made up or missing after repair */
  double burst_ratio;    /* 1: random; how much longer losses are than chance would make them (G.107 3.5) */
  double delay_ms;       /* mouth to ear, one way; 0: leave delay out (listening quality) */
  int bitrate;           /* bit/s of Opus, for the codec's own impairment */
};
/* emodel_r: the rating factor, 0..93.2. emodel_mos: MOS times 10 for it, 10..45 (G.107 annex B). */
double emodel_r(const struct emodel_in *in);
uint8_t emodel_mos(double r);

#endif
