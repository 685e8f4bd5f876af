# SPDX-License-Identifier: MIT
add_compile_options(-Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
                    -Wpointer-arith -Wundef -Wvla -Wformat=2)
if(SDTLS_WERROR)
  add_compile_options(-Werror)
endif()
if(SDTLS_SANITIZE)
  add_compile_options(-fsanitize=${SDTLS_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SDTLS_SANITIZE})
endif()
if(SDTLS_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()
if(SDTLS_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()

# libFuzzer records comparisons to guess magic numbers. Code whose inputs have none, or whose mutator knows
# them, does without: UBSan's checks are comparisons, too, and recording them costs more than the code itself.
function(sdtls_no_compares target)
  if(SDTLS_FUZZ)
    target_compile_options(${target} PRIVATE -fno-sanitize-coverage=trace-cmp)
  endif()
endfunction()
