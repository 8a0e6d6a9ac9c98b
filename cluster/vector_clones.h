#pragma once

/// Before a function whose loops the compiler vectorises: compiled once for each of these instruction sets
/// and picked when the program starts, so that one build is fast on every x86-64 machine. Sanitizers run
/// before the picking is done, other compilers and processors lack it: there the function is compiled once.
/// (Names of processors instead of levels would be picked on exactly those processors and no later ones.)
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) && \
    __GNUC__ >= 12 && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define SMOOTHLAB_VECTOR_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define SMOOTHLAB_VECTOR_CLONES
#endif
