/* SPDX-License-Identifier: MIT */
#include "targets/flow_stories.h"

#include "harness/watch.h"
#include "targets/flow_ops.h"

#define BYTES(s)                                                                                   \
    {                                                                                              \
        (const uint8_t *)(s), sizeof(s) - 1                                                        \
    }
#define HELLOS "c V k "
#define FLIGHT4 "H+E+X+D "
#define FLIGHT5 "x+q+f "
#define FLIGHT6 "Q+F "
#define DONE HELLOS FLIGHT4 FLIGHT5 FLIGHT6
#define RESUMABLE "c H+D x+q+f Q+F "
/* extensions */
#define SNI "\0\0\0\013\0\011\0\0\006a.test"
#define OTHER_SNI "\0\0\0\013\0\011\0\0\006b.test"
#define ALPN "\0\020\0\007\0\005\004coap"
#define LONG_NAME "\50an application protocol with a long name."
#define LONG_ALPN "\0\020\0\317\0\315" LONG_NAME LONG_NAME LONG_NAME LONG_NAME LONG_NAME
#define EMS "\0\027\0\0"
#define RENEGOTIATION "\377\001\0\001\0"
#define SRTP "\0\016\0\005\0\002\0\001\0"
#define SRTP_OTHER "\0\016\0\005\0\002\0\007\0"
#define SRTP_BROKEN "\0\016\0\002\0\011"
#define SRTP_EMPTY "\0\016\0\003\0\0\0"
#define CONNECTION_ID "\0\066\0\003\002id"
#define TICKET "\0\043\0\003abc"
#define VERSIONS "\0\053\0\005\004\376\374\376\375"
#define THIRTEEN "\0\053\0\002\376\374"
#define SCHEMES "\0\015\0\004\0\002\004\003"
#define SIZE_LIMIT "\0\034\0\002\100\0"
#define GROUPS "\0\012\0\006\0\004\0\035\0\027"

#define CERT(kind, bits, from, to)                                                                 \
    {                                                                                              \
        kind, bits, from, to, 0, 0, 0, 0                                                           \
    }
#define NAMELESS(kind)                                                                             \
    {                                                                                              \
        kind, 128, FROM, TO, CERT_NAMELESS, 0, 0, 0                                                \
    }
#define LONG(more)                                                                                 \
    {                                                                                              \
        0, 128, FROM, TO, 0, more, 0, 0                                                            \
    }
#define CERT_WITH(flags, group, scheme)                                                            \
    {                                                                                              \
        0, 128, FROM, TO, (flags) | CERT_VALUES, 0, group, scheme                                  \
    }
#define FORBIDS(use)                                                                               \
    {                                                                                              \
        0, 128, FROM, TO, CERT_FORBIDS *(use), 0, 0, 0                                             \
    }
#define SIGNED_WITH(scheme) BYTES("\3\0\035\2kk" scheme "\0\1s")
/* RSA and ECDSA keys of two schemes, and three names: CN, O, and one that is broken. */
#define REQUEST                                                                                    \
    "\2\1\100\0\4\4\3\4\1\0\051\0\017\060\015\061\013\060\011\6\3\125\4\3\14\2ca"                  \
    "\0\017\060\015\061\013\060\011\6\3\125\4\012\14\2or\0\5\060\3xxx"
#define FROM (STORY_NOW - STORY_DAY)
#define TO (STORY_NOW + STORY_DAY)

const struct story flow_stories[] = {
    /* a whole handshake, with everything that limits and keys change */
    {.text = DONE "g1 " DONE},
    {.text = DONE "g1 " DONE, .limits = FEW | SMALL_PENDING | SMALL_KEPT | IDLE | PROMPT},
    {.text = DONE "g1 " DONE, .limits = NO_KEYS | NO_CERTS | PROMPT, .traits = NO_PACKETS},
    {.text = DONE "t3 t9 " DONE, .limits = PROMPT},
    {.text = DONE "g3 " DONE "N t40 " DONE, .limits = IDLE, .traits = UNFINISHED},
    {.text = DONE, .limits = NO_MEMORY, .fails = 32},
    {.text = HELLOS FLIGHT4 "x+q+y Q+Y a A y0 Y0", .session_id = 8},
    {.text = "g3 " DONE "a A n N i1.4 I1.4"},
    {.text = "p64.60.1 " DONE "p64.60.2 c V p64.60.1 a"},
    {.text = HELLOS "m0 " FLIGHT4 "m0 " FLIGHT5 "m1 c"},

    /* A: nobody answers */
    {.text = "c ~c ~c ~c t9"},
    {.text = "c ~c t1 ~c t9", .limits = PROMPT},
    {.text = "c ~c t1 ~c t9", .offer = BYTES(GROUPS SCHEMES)},
    {.text = "c ~c t1 ~c t9", .offer = BYTES(SCHEMES GROUPS)},
    {.text = "c ~c t1 ~c t9", .offer = BYTES(SIZE_LIMIT)},
    {.text = "c ~c t1 ~c t9", .session_id = 32, .suites = BYTES("\300\054"), .offer = BYTES(EMS)},
    {.text = "c0.60 ~c0.60 t1 ~c0.60 t9"},
    {.text = "c V c V c V t9"},
    {.text = "c H+E+D ~c H+E+D ~c H+E+D t9"},
    {.text = "c V c V k V c V t9"},
    {.text = "c i3.3"},
    {.text = "c i11.0 t9"},
    {.text = "g3 c i3.0 t9"},
    {.text = "c i3.0"},
    {.text = "c i3.9"},
    {.text = "c V i3.1 t9"},
    {.text = "g3 c i1.4"},
    {.text = "g3 c i1.0"},
    {.text = "g3 c i1.1"},
    {.text = "g3 c i1.3"},
    {.text = "g3 c i1.5"},
    {.text = "g3 c i2.0.1280 t9"},
    {.text = DONE "i3.3"},
    {.text = DONE "N i3.3"},
    {.text = DONE "n I3.3"},
    {.text = HELLOS "I3.3 t9"},
    {.text = "c {!HTTP/1.1 400} ~c t9"},
    {.text = "c {!GET / HTTP} t9"},
    {.text = "c {!<html>} t9"},
    {.text = "c {!\026\003\003\001} t9"},
    {.text = DONE "{!more} {more}"},
    {.text = DONE "a+a+a+a+a+a+a+a+a+a+a+a+a+a+a+a+a+a+a+a"},
    {.text = "a+a+a+a+a+a+a+a+a+a+a+a+a+a+a+a+a+a+a+a A a"},
    {.text = "{before} c {beside} s1 S1 s2 s0 s0.1 S1.1 t9"},
    {.text = "s S1 t3 s S1 t3 s S1 t3 s S1 t9"},
    {.text = "s S1 t3 S s1 t3 s S1 t3 s S1 c V t9"},
    {.text = "c C t9"},
    {.text = "c C z10 t9"},
    {.text = DONE "C"},
    {.text = "c g2 H t9"},
    {.text = "c g0 C z10 Z10 t9"},
    {.text = HELLOS "H+E+D C t9"},

    /* B: the cookie */
    {.text = "c V ~c ~c k " FLIGHT4 "t9"},
    {.text = "c V k V k V t9"},
    {.text = "c V k V t9"},
    {.text = "c V k V k V H+E+X+D x+q+f Q+F"},
    {.text = "p50.64 c V k ~k ~k t9"},
    {.text = "p64.50 c V k ~k ~k t9"},
    {.text = "c V k ~k Z40 t9"},
    {.text = "c V k ~k {!odd} t9"},
    {.text = "c V k V ~k t9"},
    {.text = "c0.60 c60.999 Z50 t9"},
    {.text = "c0.60 c60.999 Z47 t9"},
    {.text = "c0.60 c60.999 Z80 t9"},
    {.text = "c0.60 c60.999 V ~c0.60 c60.999 ~c0.60 c60.999 t9"},
    {.text = "c0.60 c60.999 V t9"},
    {.text = "k H+E+D t9"},
    {.text = "c V H+E+X+D x+q+f Q+F"},
    {.text = "c V ^V H+E+X+D t9"},
    {.text = "c V g2 c V k H+D t9"},

    /* C: what was offered */
    {.text = "c Z40 t9", .suites = BYTES("\0\250")},
    {.text = "c Z40 t9", .suites = BYTES("\300\057")},
    {.text = "c Z40 t9", .suites = BYTES("\300\053")},
    {.text = "c Z40 t9", .suites = BYTES("\300\053\300\057"), .offer = BYTES(SNI)},
    {.text = "c Z40 t9", .suites = BYTES("\300\053\300\057"), .offer = BYTES(EMS GROUPS)},
    {.text = "c Z40 t9",
     .suites = BYTES("\300\053\300\057\012\012\126\0"),
     .offer = BYTES(EMS RENEGOTIATION)},
    {.text = "c Z71 t9"},
    {.text = "c Z109 t9"},
    {.text = "Z40 c Z40.1 t9"},
    {.text = "c H Z40 t9"},
    {.text = DONE "g1 c Z40 t9", .others = BYTES("\300\057")},
    {.text = DONE "g1 c Z40 t9"},
    {.text = "c Z70 t9"},
    {.text = HELLOS FLIGHT4 "z70"},
    {.text = DONE "Z70 Z112 Z120 Z47 Z116 Z48 z48"},
    {.text = "c Z112 t9"},
    {.text = "c Z112 t9", .offer = BYTES(EMS)},
    {.text = "c Z120 t9", .offer = BYTES(ALPN)},
    {.text = "c Z120 t9", .offer = BYTES(LONG_ALPN)},
    {.text = "c Z120 t9", .offer = BYTES(EMS)},
    {.text = "c H+E+D z110", .answer = BYTES(EMS SRTP), .offer = BYTES(EMS)},
    {.text = "c H+E+D z47", .answer = BYTES(EMS RENEGOTIATION), .offer = BYTES(EMS)},
    {.text = "c Z47 t9"},
    {.text = "c Z110 t9"},
    {.text = "c0.40 c40.999 H+D z47"},
    {.text = "c H+R+E+D o+x Z40"},
    {.text = "c H+R+E+D o+x Z116"},
    {.text = "c H+R+E+D x Z116"},
    {.text = "c H+R+E+D e+x Z40"},
    {.text = RESUMABLE, .offer = BYTES(SRTP), .answer = BYTES(SRTP)},
    {.text = RESUMABLE, .offer = BYTES(SRTP), .answer = BYTES(SRTP_OTHER)},
    {.text = RESUMABLE, .offer = BYTES(SRTP), .answer = BYTES(SRTP_BROKEN)},
    {.text = RESUMABLE, .offer = BYTES(SRTP), .answer = BYTES(SRTP_EMPTY)},
    {.text = RESUMABLE, .offer = BYTES(SRTP_BROKEN), .answer = BYTES(SRTP)},
    {.text = RESUMABLE, .offer = BYTES(SRTP), .answer = BYTES(EMS)},
    {.text = RESUMABLE, .offer = BYTES(VERSIONS TICKET), .answer = BYTES(RENEGOTIATION)},
    {.text = RESUMABLE, .offer = BYTES(TICKET), .session_id = 4},

    /* D: certificates */
    {.text = HELLOS FLIGHT4 "z45", .chain = {CERT(0, 128, FROM - 9 * STORY_DAY, FROM)}},
    {.text = HELLOS FLIGHT4 "z46",
     .chain = {CERT(0, 128, FROM - 9 * STORY_DAY, FROM - STORY_DAY / 2)}},
    {.text = HELLOS FLIGHT4 "z42",
     .chain = {CERT(0, 128, FROM - 9 * STORY_DAY, FROM - 3 * STORY_DAY)}},
    {.text = HELLOS FLIGHT4 "z45"},
    {.text = HELLOS FLIGHT4 "z42", .chain = {CERT(0, 128, TO, TO + STORY_DAY)}},
    {.text = HELLOS FLIGHT4 "z42", .traits = OLD_CLOCK},
    {.text = HELLOS FLIGHT4 "z42", .traits = OLD_CLOCK, .chain = {CERT(0, 128, 1, 2)}},
    {.text = HELLOS FLIGHT4 "z42", .offer = BYTES(OTHER_SNI)},
    {.text = HELLOS FLIGHT4 "z46", .offer = BYTES(OTHER_SNI), .chain = {NAMELESS(0)}},
    {.text = HELLOS FLIGHT4 "z42", .offer = BYTES(SNI)},
    {.text = HELLOS FLIGHT4 "z42", .offer = BYTES(EMS)},
    {.text = HELLOS FLIGHT4 "z42", .offer = BYTES(EMS), .chain = {CERT(2, 128, FROM, TO)}},
    {.text = HELLOS FLIGHT4 "z42", .offer = BYTES(EMS), .chain = {NAMELESS(2)}},
    {.text = HELLOS FLIGHT4 "z42", .offer = BYTES(EMS), .chain = {CERT(0, 80, FROM, TO)}},
    {.text = HELLOS FLIGHT4 "z46", .offer = BYTES(EMS), .chain = {CERT(4, 128, FROM, TO)}},
    {.text = HELLOS FLIGHT4 "z42", .offer = BYTES(EMS), .chain = {CERT(4, 128, FROM, TO)}},
    {.text = HELLOS FLIGHT4 "z42", .offer = BYTES(EMS), .chain = {CERT(6, 0, FROM, TO)}},
    {.text = HELLOS FLIGHT4 "z48", .chain = {CERT(2, 80, FROM, TO)}},
    {.text = HELLOS FLIGHT4 "z48", .chain = {CERT(0, 128, FROM, TO), CERT(8, 128, FROM, TO)}},
    {.text = HELLOS "H+X+D z48"},
    {.text = HELLOS FLIGHT4 "z48.1 t9"},
    {.text = HELLOS FLIGHT4 "z42", .limits = NO_CERTS},
    {.text = HELLOS "H+O+X+D z42"},
    {.text = HELLOS FLIGHT4 "z42", .chain = {CERT(64, 128, FROM, TO)}},
    {.text = HELLOS "H+R+E+X+D e+x+q+f Z42", .chain = {CERT(0, 128, FROM - 9, FROM)}},
    {.text = HELLOS "H+R+E+X+D e+x+q+f Z48"},
    {.text = HELLOS "H+R+E+X+D e+x+q+f Z45"},
    {.text = DONE, .chain = {CERT(0, 128, FROM, TO), CERT(16, 128, FROM, TO)}},
    {.text = DONE, .chain = {CERT(0, 128, FROM, TO), CERT(0, 128, FROM, TO)}},
    {.text = "c H+R+D e+x+q+f Q+F", .chain = {CERT(0, 128, FROM, TO), CERT(16, 128, FROM, TO)}},
    {.text = "c H E0.250 E250.500 E500.750 E750.1000 E1000.1250 E1250.1500 E1500.1600 E1600.1700 "
             "E1700.1800 "
             "E1800.1900 E1900.2000 E2000.9999 X+D",
     .chain = {LONG(2200)}},
    {.text = "c H E X+D", .chain = {LONG(4060)}},

    /* D: certificates and signatures against the offer */
    {.text = HELLOS FLIGHT4 "z43", .chain = {CERT_WITH(CERT_RSA, 0, 0)}},
    {.text = HELLOS FLIGHT4 "z43", .chain = {CERT_WITH(CERT_ED25519, 0, 0x0807)}},
    {.text = HELLOS FLIGHT4 "z46", .offer = BYTES(GROUPS), .chain = {CERT_WITH(0, 0x18, 0)}},
    {.text = HELLOS FLIGHT4 "z42", .offer = BYTES(SCHEMES), .chain = {CERT_WITH(0, 0x17, 0x0401)}},
    {.text = HELLOS FLIGHT4 "z42", .chain = {CERT_WITH(0, CERT_TWIN, 0)}},
    {.text = HELLOS FLIGHT4 "z46", .chain = {CERT_WITH(0, CERT_TWIN, 0)}},
    {.text = HELLOS FLIGHT4 "z45", .chain = {CERT_WITH(0, CERT_TWIN, 0)}},
    {.text = HELLOS FLIGHT4 "z47", .offer = BYTES(SCHEMES), .key = SIGNED_WITH("\4\1")},
    {.text = HELLOS FLIGHT4 "z51", .key = SIGNED_WITH("\4\1")},
    {.text = HELLOS FLIGHT4 "z51", .key = SIGNED_WITH("\4\2")},
    {.text = HELLOS FLIGHT4 "z51",
     .key = SIGNED_WITH("\4\3"),
     .chain = {CERT_WITH(CERT_RSA, 0, 0)}},
    {.text = HELLOS FLIGHT4 "z51",
     .key = SIGNED_WITH("\10\7"),
     .chain = {CERT_WITH(CERT_RSA, 0, 0)}},
    {.text = HELLOS FLIGHT4 "z51", .key = SIGNED_WITH("\10\4")},
    {.text = HELLOS FLIGHT4 "z51", .key = SIGNED_WITH("\4\5")},
    {.text = HELLOS FLIGHT4 "z43", .chain = {FORBIDS(1)}},
    {.text = HELLOS FLIGHT4 "z43", .chain = {FORBIDS(4)}},
    {.text = HELLOS "H+E+D z43",
     .suite = 0x9c,
     .suites = BYTES("\0\234"),
     .chain = {CERT_WITH(CERT_RSA + CERT_FORBIDS * 2, 0, 0)}},
    {.text = HELLOS "H+R+E+X+D e+x+q+f Z43", .request = BYTES(REQUEST), .chain = {FORBIDS(8)}},
    {.text = HELLOS "H+R+E+X+D e+x+q+f Z43", .request = BYTES(REQUEST), .chain = {FORBIDS(1)}},
    {.text = HELLOS "H+R+E+X+D e+x+q+f Z42", .request = BYTES(REQUEST)},
    {.text = HELLOS "H+R+E+X+D o+x+q+f Z40", .request = BYTES(REQUEST)},
    {.text = HELLOS "H+R+E+X+D e+x+q+f Z48", .request = BYTES(REQUEST)},
    {.text = HELLOS "H+E+X+D e+x+q+f Z10"},
    {.text = HELLOS "H+E+X+D e+x+q+f Q+F a A"},

    /* E: sizes */
    {.text = HELLOS "H+E0.9+L+X+D ~=1 ~=1 ~=1 t9"},
    {.text = HELLOS "H+L+D ~H+L+D ~H+L+D t9", .chain = {LONG(900)}},
    {.text = HELLOS FLIGHT4 "l+q+f ~H+E+X+D l+q+f ~H+E+X+D l+q+f t9"},
    {.text = HELLOS "H+E+R+X+D x+l+q+f ~H+E+R+X+D x+l+q+f t9"},
    {.text = HELLOS "|H+E+X+D J ~|H+E+X+D J t9", .chain = {LONG(900)}},
    {.text = HELLOS "H+E+X+D I3.4.500 t9", .chain = {LONG(900)}},
    {.text = HELLOS "H+E+X+D I3.4.1200 ~H E0.300 E300.600 E600.999 X+D t9", .chain = {LONG(900)}},
    {.text = HELLOS "H+E+X+D I3.4.0 t9", .chain = {LONG(900)}},
    {.text = "g3 " HELLOS "H+E+X+D I2.0.1200 t9", .chain = {LONG(1400)}},
    {.text = HELLOS
     "H+E+X+D ~H+E+X+D ~H E0.200 E200.400 E400.999 X+D ~H E0.200 E200.400 E400.999 X+D t9",
     .chain = {LONG(900)}},
    {.text = HELLOS
     "H E0.100 E150.200 E250.300 E350.400 E450.500 E550.600 E650.700 E750.800 E850.900 E950.999 "
     "E0.50 t9",
     .chain = {LONG(1400)}},
    {.text = "c0.10 c20.30 c40.50 c60.70 c80.90 c100.110 c120.130 c140.150 c160.170 c180.190 t9"},
    {.text = "c H0.0 H0.0 H0.9 H0.0 t9"},
    {.text = "%c V %k %H+E+X+D %x+q+f %Q+F a A"},

    /* F: keys, order, the end */
    {.text = HELLOS "H+D x+q+f Z51 t9",
     .suite = 0xa8,
     .suites = BYTES("\0\250"),
     .key = BYTES("\0\4\1me\377")},
    {.text = HELLOS "H+D x+q+f ~H+D x+q+f ~H+D x+q+f t9",
     .suite = 0xa8,
     .suites = BYTES("\0\250"),
     .key = BYTES("\0\106an identity that is longer than what a sentence has room for, by a few")},
    {.text = HELLOS "H+D x+q+f z20 t9", .suite = 0xa8, .suites = BYTES("\0\250")},
    {.text = HELLOS FLIGHT4 FLIGHT5 "Z20"},
    {.text = HELLOS FLIGHT4 FLIGHT5 "z51"},
    {.text = HELLOS FLIGHT4 "~H+E+X+D ~H+E+X+D t9"},
    {.text = HELLOS "H+E+X ~H+E+X ~H+E+X t9"},
    {.text = HELLOS FLIGHT4 FLIGHT5 "~x+q+f ~x+q+f ~x+q+f t9"},
    {.text = HELLOS FLIGHT4 FLIGHT5 FLIGHT6 "~x+q+f Q+F ~x+q+f Q+F ~x+q+f Q+F t9"},
    {.text = HELLOS FLIGHT4 FLIGHT5 FLIGHT6 "~x+q+f Q+F a A"},
    {.text = HELLOS FLIGHT4 FLIGHT5 "~x+q+f " FLIGHT6},
    {.text = HELLOS FLIGHT4 "x f ^q Q+F"},
    {.text = HELLOS FLIGHT4 "x q+f F ^Q"},
    {.text = HELLOS FLIGHT4 "x f ^q ~=0 t9"},
    {.text = HELLOS FLIGHT4 "x q+f+a F+Q A"},
    {.text = HELLOS FLIGHT4 "x+q+f Q+A F"},

    /* G: which addresses belong together */
    {.text = DONE "c t9"},
    {.text = DONE "a A g0 c V k H+D"},
    {.text = DONE "a g0 c ~c ~c t9"},
    {.text = DONE "'a 'A 'a a ~a"},
    {.text = DONE "'a 'A 'a"},
    {.text = DONE "a ~t60 'a 'a"},
    {.text = "c H+E+D x+q+f Q+F b B 'b 'b",
     .offer = BYTES(CONNECTION_ID),
     .answer = BYTES(CONNECTION_ID)},
    {.text = "c H+E+D x+q+f Q+F b B t60 'b 'B 'b",
     .offer = BYTES(CONNECTION_ID),
     .answer = BYTES(CONNECTION_ID)},
    {.text = "b B b b"},
    {.text = DONE "~i3.3"},
    {.text = "g3 " DONE "~i1.4 i1.3"},
    {.text = DONE "~Z10"},
    {.text = DONE "Z10 N"},
    {.text = "c g0 ~c t9"},
    {.text = "c ~t1 'c V t9"},
    {.text = "c H+D g2 H t9"},
    {.text = "c g1 ~c ~c t9"},
    {.text = "c H+D ^H+D z10 t9"},
    {.text = "H+E+D c t9"},
    {.text = "D c"},
    {.text = "X x c"},
    {.text = "R r"},
    {.text = "a A a g0 c t9"},

    /* H: loss and time */
    {.text = "c ~c ^V ^c V k " FLIGHT4 FLIGHT5 FLIGHT6},
    {.text = "c V ~k ~" FLIGHT4 "~" FLIGHT5 "~" FLIGHT6},
    {.text = "c ^V k ~~H+E+X+D x+q+f Q+F"},
    {.text = "c ^V k t3 H+E+X+D x+q+f Q+F"},
    {.text = "c ^V ^k ^H+E+X+D t3 x+q+f Q+F"},
    {.text = "c ^V ^k ^H+E+X+D t3 x+q+f ~x+q+f Q+F"},
    {.text = DONE "~Q+F ~Q+F"},
    {.text = DONE "a a a a a t3 a"},
    {.text = DONE "A A A A A t3 A"},
    {.text = DONE "=1 =1 a =0"},
    {.text = "c l2+c <V k l3+x H+L2+E <D t9"},
    {.text = DONE "a l80.1+a l9.1+A l90.1+A"},
    {.text = DONE "n"},
    {.text = DONE "N"},
    {.text = DONE "n N"},
    {.text = HELLOS FLIGHT4 "x+q+y0 Y0"},
    {.text = "Z40"},
    {.text = "f a F"},
    {.text = "c Z99 t9"},
    {.text = "c H z99 t9"},
    {.text = "z99 Z99 c t9"},
    {.text = "q Q z1 ~q ~q ~q ~q t9"},

    /* I: what should not be relied on */
    {.text = "c H+E+D x+q+f Q+F g2 c H+E+D x+q+f Q+F",
     .suite = 0x000a,
     .answer = BYTES(TICKET),
     .chain = {CERT(4, 80, FROM, TO)}},
    {.text = "c H+E+D x+q+f Q+F g1 c H+E+D x+q+f Q+F",
     .suite = 0x000a,
     .answer = BYTES(TICKET),
     .chain = {CERT(4, 80, FROM, TO)}},

    /* DTLS 1.3 */
    {.text = "c H U U2 u u2 u3 U3 a", .offer = BYTES(VERSIONS), .answer = BYTES(THIRTEEN)},
    {.text = "c H ~U ~U ~U t9", .offer = BYTES(VERSIONS), .answer = BYTES(THIRTEEN)},
    {.text = "u2 u3 u3 u3"},
    {.text = "u3 u3 u2 u1 u3"},
    {.text = "u3+u1 u3+c u3+a"},

    /* more than the tables hold */
    {.text = "c 299*=0 t9"},
    {.text = "c 70*~=0 t9"},
    {.text = "c "
             "9*H+E+X+D+Q+F+A+Z1.1 "
             "9*z1.1+z2.1+z3.1+z4.1 t9"},
    {.text = DONE "99*a w"},
    {.text = "c H l+c L+E l+x L+X l+k L+D l+q L+Q l+z1 L+Z1 l+c L+E l+x L+X l+k L+D l+q L+Q t9"},
    {.text = "c 5*{!one} 5*{two} t9"},
};

const size_t flow_story_count = sizeof flow_stories / sizeof *flow_stories;
