#ifndef SD_UNSEAL_LIBRARY_H
#define SD_UNSEAL_LIBRARY_H

/* The library that opens records: "OpenSSL 3.0.19 27 Jan 2026". Constant. */
const char *sd_unseal_library(void);

#endif
