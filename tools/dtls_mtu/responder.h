/* dtls_mtu --responder: the cooperating end of dtls_mtu --peer. */
#ifndef MTU_RESPONDER_H
#define MTU_RESPONDER_H

#include "dtls_mtu/survey.h"

/* Serves until a signal comes; the exit status. */
int responder_run(struct survey *s);

#endif
