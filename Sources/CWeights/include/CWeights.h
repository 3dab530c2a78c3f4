// The classifiers that come with lathe, as safetensors files in the program: made by
// `lathe features train fashion-mnist` (docs/features.md).
#pragma once

#include <stddef.h>

const unsigned char *cw_grey_classifier(void);
long cw_grey_classifier_size(void);
const unsigned char *cw_colour_classifier(void);
long cw_colour_classifier_size(void);
