#include "CWeights.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char grey[] __attribute__((aligned(64))) = {
#embed "classifier-grey.safetensors"
};

static const unsigned char colour[] __attribute__((aligned(64))) = {
#embed "classifier-colour.safetensors"
};

const unsigned char *cw_grey_classifier(void) { return grey; }
long cw_grey_classifier_size(void) { return sizeof grey; }
const unsigned char *cw_colour_classifier(void) { return colour; }
long cw_colour_classifier_size(void) { return sizeof colour; }
