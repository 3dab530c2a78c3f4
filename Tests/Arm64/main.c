// Runs each family of CKernels on inputs that are the same everywhere, and compares it with loops
// in double precision: the same program for x86-64 and, under qemu, for arm64 (see `check`).
#include "driver.h"

int main(void) {
  print_processor();
  check_random_numbers();
  check_loops();
  if (ck_has_tiles(0)) {
    check_gemm();
    check_convolutions();
    check_winograd();
  }
  return failed();
}
