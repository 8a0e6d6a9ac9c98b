// Without a source that takes it, CMake makes no precompiled header for the other tests to take.
#include <ATen/ATen.h>
