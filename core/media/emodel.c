#include "core/media/emodel.h"

#include <math.h>

#define R_BEST 93.2
#define BPL 19.0
#define IE_LOW 11.0 /* at LOW bit/s; none from FULL up */
#define LOW 8000.0
#define FULL 24000.0

/* G.107 formulas 3-27 and 3-28: what too long a delay does, without any echo. */
static double impaired_by_delay(double ms) {
  if (ms <= 100)
    return 0;
  double x = log2(ms / 100);
  return 25 * (pow(1 + pow(x, 6), 1.0 / 6) - 3 * pow(1 + pow(x / 3, 6), 1.0 / 6) + 2);
}

double emodel_r(const struct emodel_in *in) {
  double ie = IE_LOW * (FULL - in->bitrate) / (FULL - LOW);
  ie = ie > 0 ? ie : 0;
  double loss = in->heard_loss_pct < 100 ? in->heard_loss_pct : 100;
  double burst = in->burst_ratio > 1 ? in->burst_ratio : 1;
  double ie_eff = loss > 0 ? ie + (95 - ie) * loss / (loss / burst + BPL) : ie;
  double r = R_BEST - impaired_by_delay(in->delay_ms) - ie_eff;
  return r > 0 ? r : 0;
}

uint8_t emodel_mos(double r) {
  if (r >= 100)
    return 45;
  double mos = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;
  return r <= 0 || mos < 1 ? 10 : (uint8_t)(mos * 10 + 0.5);
}
