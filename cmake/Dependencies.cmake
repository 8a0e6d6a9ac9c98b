# Everything comes from the distribution, except where CMAKE_PREFIX_PATH names another LibTorch.

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O3 -DNDEBUG")

find_program(CCACHE ccache)
if(CCACHE)
  # Without the sloppiness ccache declines every file that uses a precompiled header; in depend mode a file that
  # it does not know is compiled at once instead of being preprocessed first.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_DEPEND=true CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
  set(CMAKE_PCH_INSTANTIATE_TEMPLATES OFF)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
endif()

find_package(Threads REQUIRED)
find_package(Torch REQUIRED)
# at::parallel_for is compiled in our own files, and is serial without it.
find_package(OpenMP REQUIRED COMPONENTS CXX)
# CUDA and NCCL are found, not required: without them the same program runs on the CPU and MPI.
set(SMOOTHLAB_CUDA OFF)
set(SMOOTHLAB_NCCL OFF)
if(TARGET torch_cuda)
  set(SMOOTHLAB_CUDA ON)
  enable_language(CUDA)
  # Where nvcc's host compiler is an older GCC, its C++ library must not come before that of the objects' compiler.
  list(FILTER CMAKE_CUDA_IMPLICIT_LINK_DIRECTORIES EXCLUDE REGEX "/gcc/")
  # From Turing on; what is newer than the last compiles its intermediate code when it first runs.
  set(SMOOTHLAB_CUDA_ARCHITECTURES "75-real;80-real;86-real;90" CACHE STRING "GPUs that kernels are compiled for")
  find_path(NCCL_INCLUDE_DIR nccl.h)
  find_library(NCCL_LIBRARY nccl)
  if(NCCL_INCLUDE_DIR AND NCCL_LIBRARY)
    set(SMOOTHLAB_NCCL ON)
    add_library(nccl INTERFACE IMPORTED)
    target_include_directories(nccl INTERFACE ${NCCL_INCLUDE_DIR})
    target_link_libraries(nccl INTERFACE ${NCCL_LIBRARY})
  endif()
endif()
find_package(MPI REQUIRED COMPONENTS CXX)
find_package(HDF5 REQUIRED COMPONENTS C)
find_package(yaml-cpp REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS program_options)
find_package(nlohmann_json REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(CURL REQUIRED)
find_package(LibArchive REQUIRED)
# libjpeg-turbo: the crops and skipped rows of its libjpeg are asked for.
find_package(JPEG REQUIRED)
find_package(muparser REQUIRED)
find_package(ICU REQUIRED COMPONENTS uc)
# SentencePiece is found, not required: without it there is no text to train on.
find_path(SENTENCEPIECE_INCLUDE_DIR sentencepiece_processor.h)
find_library(SENTENCEPIECE_LIBRARY sentencepiece)
find_library(SENTENCEPIECE_TRAIN_LIBRARY sentencepiece_train)

# PyTorch's own packages of LibTorch bring the headers of another fmt, without its library: the system's come first.
find_path(FMT_INCLUDE_DIR fmt/format.h)
foreach(folder ${TORCH_INCLUDE_DIRS})
  if(EXISTS ${folder}/fmt/format.h AND FMT_INCLUDE_DIR AND NOT folder STREQUAL FMT_INCLUDE_DIR)
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/system_headers)
    file(CREATE_LINK ${FMT_INCLUDE_DIR}/fmt ${CMAKE_BINARY_DIR}/system_headers/fmt SYMBOLIC)
    include_directories(BEFORE SYSTEM ${CMAKE_BINARY_DIR}/system_headers)
  endif()
endforeach()
# And their libtorch.so has parts of another C++ library, of which std::filesystem::remove_all ends in a crash.
if(CMAKE_SYSTEM_NAME STREQUAL "Linux" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_link_options(LINKER:--push-state,--no-as-needed,-lstdc++,--pop-state)
endif()

# FindMPI brings Open MPI's deprecated C++ bindings; only the C interface is used.
target_compile_definitions(MPI::MPI_CXX INTERFACE OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)

# LibTorch's headers are not ours to warn about.
foreach(library torch c10 torch_cpu torch_cuda c10_cuda)
  if(TARGET ${library})
    get_target_property(includes ${library} INTERFACE_INCLUDE_DIRECTORIES)
    if(includes)
      set_property(TARGET ${library} APPEND PROPERTY INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${includes})
    endif()
  endif()
endforeach()
