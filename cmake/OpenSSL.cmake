# SPDX-License-Identifier: MIT
# The OpenSSL to build with: the system's, or the one under the prefix
# SDTLS_OPENSSL (include/, lib/ and, when it needs a newer C library than the
# machine has, lib/glibc/; ci/openssl makes such prefixes, fuzz/build_openssl static
# ones for fuzzing).
if(SDTLS_OPENSSL)
  set(OPENSSL_INCLUDE_DIR ${SDTLS_OPENSSL}/include)
  set(suffix so)
  if(NOT EXISTS ${SDTLS_OPENSSL}/lib/libssl.so)
    set(suffix a) # fuzz/build_openssl
  endif()
  set(OPENSSL_SSL_LIBRARY ${SDTLS_OPENSSL}/lib/libssl.${suffix})
  set(OPENSSL_CRYPTO_LIBRARY ${SDTLS_OPENSSL}/lib/libcrypto.${suffix})
  foreach(part ${OPENSSL_INCLUDE_DIR}/openssl/ssl.h ${OPENSSL_SSL_LIBRARY} ${OPENSSL_CRYPTO_LIBRARY})
    if(NOT EXISTS ${part})
      message(FATAL_ERROR "SDTLS_OPENSSL: there is no ${part}")
    endif()
  endforeach()
  # Programs find that OpenSSL, and its C library, without any wrapper: an
  # old-style RPATH, because RUNPATH would not reach the libraries' libraries.
  set(openssl_link -Wl,--disable-new-dtags -Wl,--allow-shlib-undefined
      -Wl,-rpath,${SDTLS_OPENSSL}/lib -Wl,-rpath,${SDTLS_OPENSSL}/lib/glibc)
  file(GLOB loader ${SDTLS_OPENSSL}/lib/glibc/ld-linux*.so*)
  if(loader)
    list(GET loader 0 loader)
    list(APPEND openssl_link -Wl,--dynamic-linker=${loader})
  endif()
  add_link_options(${openssl_link})
endif()
find_package(OpenSSL 1.1.1 REQUIRED)

# What this project builds against. OpenSSL::SSL itself is left alone: it may be another project's, too.
add_library(sd_openssl INTERFACE)
target_link_libraries(sd_openssl INTERFACE OpenSSL::SSL)

# A changed library makes every answer stale.
set(openssl_id "${OPENSSL_SSL_LIBRARY} ${OPENSSL_VERSION}")
file(GLOB openssl_probes CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/probes/SD_*.c)
if(NOT "${SDTLS_PROBED}" STREQUAL openssl_id)
  unset(SDTLS_SANITY_RUNS CACHE)
  foreach(probe ${openssl_probes})
    get_filename_component(name ${probe} NAME_WE)
    unset(${name} CACHE)
  endforeach()
  set(SDTLS_PROBED "${openssl_id}" CACHE INTERNAL "OpenSSL that the probes were answered for")
endif()

# Features are asked for one by one, never concluded from a version number:
# distributions patch. SANITY must build and run.
set(probe_flags -Werror=implicit-function-declaration)
if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
  # It cannot be run here. That everything links is seen below.
elseif(NOT DEFINED SDTLS_SANITY_RUNS)
  try_run(SDTLS_SANITY_RUNS SDTLS_SANITY_BUILDS ${PROJECT_BINARY_DIR}/probes
          ${PROJECT_SOURCE_DIR}/cmake/probes/SANITY.c
          COMPILE_DEFINITIONS ${probe_flags} LINK_OPTIONS ${openssl_link} LINK_LIBRARIES OpenSSL::SSL
          COMPILE_OUTPUT_VARIABLE why RUN_OUTPUT_VARIABLE said)
  if(NOT SDTLS_SANITY_BUILDS OR NOT SDTLS_SANITY_RUNS EQUAL 0)
    unset(SDTLS_SANITY_RUNS CACHE)
    message(FATAL_ERROR "A small DTLS program does not build or run with ${OPENSSL_SSL_LIBRARY}:\n${why}${said}")
  endif()
  message(STATUS "DTLS with ${said}")
endif()
foreach(probe ${openssl_probes})
  get_filename_component(name ${probe} NAME_WE)
  if(NOT DEFINED ${name})
    try_compile(${name} ${PROJECT_BINARY_DIR}/probes ${probe}
                COMPILE_DEFINITIONS ${probe_flags} LINK_OPTIONS ${openssl_link} LINK_LIBRARIES OpenSSL::SSL)
    message(STATUS "${name}: ${${name}}")
  endif()
  if(${name})
    target_compile_definitions(sd_openssl INTERFACE ${name})
  endif()
endforeach()
