/* SPDX-License-Identifier: MIT */
#include "flow/rules/signs.h"

#include "flow/rules/catalogue.h"
#include "flow/rules/rule.h"

enum { /* where in the catalogue */
#define SD_ENTRY(name, id, severity, title, cause, advice, reference) PLACE_##name,
#include "flow/rules/catalogue.def"
#undef SD_ENTRY
       PLACES
};

/* The signs by which each rule goes: it says no where none of them is there. A rule that is not
 * listed goes by others, and is always asked. */
static const uint16_t goes_by[PLACES] = {
#define GOES_BY(name, signs) [PLACE_##name] = (signs)
    GOES_BY(no_response, SD_SIGN_FAILED),
    GOES_BY(reply_path_dead, SD_SIGN_FAILED),
    GOES_BY(wrong_source_address, SD_SIGN_RARE),
    GOES_BY(wrong_destination, SD_SIGN_FAILED | SD_SIGN_AGAIN),
    GOES_BY(icmp_port_unreachable, SD_SIGN_ICMP),
    GOES_BY(icmp_unreachable, SD_SIGN_ICMP),
    GOES_BY(not_dtls_peer, SD_SIGN_FOREIGN),
    GOES_BY(reflected_hello, SD_SIGN_NOT_OK),
    GOES_BY(role_conflict, SD_SIGN_NOT_OK),
    GOES_BY(hvr_unanswered, SD_SIGN_FAILED | SD_SIGN_AGAIN),
    GOES_BY(rebinding_mid_handshake, SD_SIGN_NOT_OK),
    GOES_BY(ch_cookie_unanswered, SD_SIGN_FAILED),
    GOES_BY(listen_fragmented_hello, SD_SIGN_FAILED),
    GOES_BY(no_common_offer, SD_SIGN_FAILED),
    GOES_BY(version_mismatch, SD_SIGN_FAILED),
    GOES_BY(sni_unrecognized, SD_SIGN_FAILED),
    GOES_BY(alpn_mismatch, SD_SIGN_FAILED),
    GOES_BY(bad_extension, SD_SIGN_FAILED),
    GOES_BY(client_certificate_required, SD_SIGN_FAILED),
    GOES_BY(choice_not_offered, SD_SIGN_FAILED),
    GOES_BY(message_order, SD_SIGN_FAILED),
    GOES_BY(no_renegotiation_info, SD_SIGN_FAILED),
    GOES_BY(malformed_hello, SD_SIGN_FAILED),
    GOES_BY(certificate_expired, SD_SIGN_FAILED),
    GOES_BY(certificate_not_yet_valid, SD_SIGN_FAILED),
    GOES_BY(hostname_mismatch, SD_SIGN_FAILED),
    GOES_BY(unknown_ca, SD_SIGN_FAILED),
    GOES_BY(same_issuer_serial, SD_SIGN_FAILED),
    GOES_BY(weak_key, SD_SIGN_FAILED),
    GOES_BY(certificate_unfit, SD_SIGN_FAILED),
    GOES_BY(mtu_blackhole_s2c, SD_SIGN_FAILED),
    GOES_BY(mtu_blackhole_c2s, SD_SIGN_FAILED),
    GOES_BY(message_too_large, SD_SIGN_FAILED),
    GOES_BY(sender_never_sent, SD_SIGN_FAILED),
    GOES_BY(refragmentation_intolerance, SD_SIGN_FAILED),
    GOES_BY(mtu_fallback, SD_SIGN_AGAIN),
    GOES_BY(ptb_abort, SD_SIGN_ICMP),
    GOES_BY(ptb_ok, SD_SIGN_ICMP),
    GOES_BY(ip_fragments_lost, SD_SIGN_IP_CUT),
    GOES_BY(bytes_changed, SD_SIGN_CHANGED),
    GOES_BY(wrong_psk, SD_SIGN_FAILED),
    GOES_BY(flight5_lost, SD_SIGN_FAILED),
    GOES_BY(finished_mismatch, SD_SIGN_FAILED),
    GOES_BY(final_flight_lost, SD_SIGN_FAILED | SD_SIGN_AGAIN | SD_SIGN_GAP),
    GOES_BY(early_appdata, SD_SIGN_DATA),
    GOES_BY(path_fingerprint_block, SD_SIGN_FAILED),
    GOES_BY(nat_rebinding, SD_SIGN_RARE),
    GOES_BY(server_restart, SD_SIGN_ICMP | SD_SIGN_ALERT),
    GOES_BY(keepalive_idle, SD_SIGN_RARE),
    GOES_BY(loss_recovered, SD_SIGN_AGAIN | SD_SIGN_GAP),
    GOES_BY(spurious_rto, SD_SIGN_AGAIN),
    GOES_BY(final_flight_timer, SD_SIGN_AGAIN),
    GOES_BY(net_duplication, SD_SIGN_DUPLICATE),
    GOES_BY(reorder, SD_SIGN_REORDERED),
    GOES_BY(record_number_reused, SD_SIGN_REUSED),
    GOES_BY(renegotiation, SD_SIGN_REKEYED),
    GOES_BY(one_way_appdata, SD_SIGN_DATA),
    GOES_BY(peer_silent, SD_SIGN_DATA),
    GOES_BY(data_after_close, SD_SIGN_DATA),
    GOES_BY(trailing_bytes, SD_SIGN_RARE),
#undef GOES_BY
};

/* A flight that came in pieces counts as well. */
static bool came_again(const struct sd_view *v)
{
    unsigned seen[SD_SIDES] = {0}; /* bit: flight */
    for (const struct sd_burst *b = v->bursts; b < v->bursts + v->burst_count; b++) {
        if (b->cause != SD_CAUSE_FIRST || seen[b->side] & 1U << b->flight)
            return true;
        seen[b->side] |= 1U << b->flight;
    }
    return false;
}

static unsigned signs_of_events(const struct sd_view *v)
{
    static const struct {
        uint16_t flag, sign;
    } flags[] = {{SD_EVF_DUPLICATE, SD_SIGN_DUPLICATE},
                 {SD_EVF_REORDERED, SD_SIGN_REORDERED},
                 {SD_EVF_REUSED, SD_SIGN_REUSED},
                 {SD_EVF_CHANGED, SD_SIGN_CHANGED}},
      kinds[] = {{1 << SD_EV_ALERT, SD_SIGN_ALERT},
                 {1 << SD_EV_ICMP, SD_SIGN_ICMP},
                 {1 << SD_EV_IP_CUT, SD_SIGN_IP_CUT},
                 {1 << SD_EV_APPDATA, SD_SIGN_DATA}};
    unsigned signs = 0;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        signs |= v->flags & flags[i].flag ? flags[i].sign : 0U;
        signs |= v->kinds & kinds[i].flag ? kinds[i].sign : 0U;
    }
    return signs;
}

static unsigned signs_of_sides(const struct sd_exchange *x)
{
    unsigned signs = 0;
    for (const struct sd_direction *d = x->side; d < x->side + SD_SIDES; d++) {
        signs |= d->foreign ? SD_SIGN_FOREIGN : 0U;
        signs |= d->appdata ? SD_SIGN_DATA : 0U;
        signs |= d->set_back ? SD_SIGN_REUSED : 0U;
        signs |= d->epoch > 1 ? SD_SIGN_REKEYED : 0U;
    }
    return signs;
}

unsigned sd_signs_of(const struct sd_case *c)
{
    const struct sd_view *v = c->view;
    unsigned signs = signs_of_events(v) | signs_of_sides(c->x);
    signs |= c->outcome == SD_FAILED ? SD_SIGN_FAILED : 0U;
    signs |= c->outcome != SD_OK ? SD_SIGN_NOT_OK : 0U;
    signs |= came_again(v) ? SD_SIGN_AGAIN : 0U;
    signs |= v->gaps_seen || v->lost[SD_CLIENT] || v->lost[SD_SERVER] ? SD_SIGN_GAP : 0U;
    signs |= c->x->rare ? SD_SIGN_RARE : 0U;
    return signs;
}

bool sd_signs_allow(const struct sd_entry *entry, unsigned signs)
{
    unsigned by = goes_by[entry - sd_catalogue];
    return !by || by & signs;
}
