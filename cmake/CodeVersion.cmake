# Writes HEADER with the program's version and the commit it is built from, "0.1.0+3f2a91c", with "-dirty" behind it
# where tracked files differ from the commit. A header that says so already is left alone.

# Without optional locks: somebody may be committing in the same folder.
set(ENV{GIT_OPTIONAL_LOCKS} 0)
if(EXISTS ${SOURCE}/.git)  # and not an unpacked archive inside somebody's repository
  execute_process(COMMAND git describe --always --dirty --abbrev=7 --exclude=*
    WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(commit)
  string(APPEND VERSION "+${commit}")
endif()
set(text "#define SMOOTHLAB_VERSION \"${VERSION}\"\n")
set(before "")
if(EXISTS ${HEADER})
  file(READ ${HEADER} before)
endif()
if(NOT text STREQUAL before)
  file(WRITE ${HEADER} "${text}")
endif()
