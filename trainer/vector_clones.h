#pragma once

/// Before a function whose loops the compiler vectorises: compiled once for each of these instruction sets
/// and picked when the program starts, so that one build is fast on every x86-64 machine. Sanitizers run
/// before the picking is done, other compilers and processors lack it: there the function is compiled once.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__) && defined(__linux__)
#define SMOOTHLAB_VECTOR_CLONES \
  __attribute__((target_clones("default", "arch=haswell", "arch=skylake-avx512")))
#else
#define SMOOTHLAB_VECTOR_CLONES
#endif
