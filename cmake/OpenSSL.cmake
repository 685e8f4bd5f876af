# SDTLS_OPENSSL empty: the OpenSSL that find_package finds.
find_package(OpenSSL 1.1.1 REQUIRED)
