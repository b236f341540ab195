/* The verifier as a command, after the contract in proto/conformance/README.md: what a lock's firmware does around
 * fw_trust_open and fw_verify_new, with files in place of its memory. Exit code: 0 accept, 1 refuse, 2 not run. */
#include <stdio.h>
#include <string.h>

#include "bounds.h"
#include "faceward_lock.h"
#include "key.h"

enum { ACCEPT = 0, REFUSE = 1, NOT_RUN = 2 };

#define SIGNATURES_BYTES 32768u
#define MAX_ROOTS 8u
#define MAX_SEEN 1024u

/* A lock has room for what it means to take; this has room for the largest there is, and for one byte more, which is
 * enough to be refused for it. */
static uint8_t record_bytes[65536u + SIGNATURES_BYTES + 1u];
static uint8_t store_bytes[262144u + SIGNATURES_BYTES + 1u];
static uint8_t root_bytes[MAX_ROOTS][FW_MAX_KEY_BYTES];
static uint8_t seen_ids[MAX_SEEN][FW_ID_BYTES];
static uint8_t subject_bytes[FW_DIGEST_BYTES];

typedef struct {
    fw_view roots[MAX_ROOTS];
    size_t root_count, seen_count;
    uint64_t need, now_s, epoch, sequence;
    bool has_need, has_now, has_subject;
    const char *trust, *record, *tenant, *lock_group;
} asked;

static bool read_file(const char *path, uint8_t *into, size_t room, size_t *len)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    *len = fread(into, 1, room, file);
    const bool good = !ferror(file);
    return fclose(file) == 0 && good;
}

typedef struct {
    uint8_t *into;
    size_t len;
    bool fits;
} der_sink;

static void take_der(void *context, const void *data, size_t len)
{
    der_sink *sink = context;
    sink->fits = sink->fits && len <= FW_MAX_KEY_BYTES - sink->len;
    if (sink->fits) {
        memcpy(sink->into + sink->len, data, len);
        sink->len += len;
    }
}

/* The one "PUBLIC KEY" in a PEM file. */
static bool read_root(const char *path, uint8_t *into, fw_view *key)
{
    uint8_t pem[2 * FW_MAX_KEY_BYTES];
    size_t len;
    if (!read_file(path, pem, sizeof pem, &len))
        return false;
    br_pem_decoder_context decoder;
    der_sink sink = {into, 0, true};
    bool ended = false;
    br_pem_decoder_init(&decoder);
    for (size_t at = 0; at < len && !ended;) {
        at += br_pem_decoder_push(&decoder, pem + at, len - at);
        switch (br_pem_decoder_event(&decoder)) {
        case BR_PEM_BEGIN_OBJ:
            if (strcmp(br_pem_decoder_name(&decoder), "PUBLIC KEY") != 0)
                return false;
            br_pem_decoder_setdest(&decoder, take_der, &sink);
            break;
        case BR_PEM_END_OBJ:
            ended = true;
            break;
        case BR_PEM_ERROR:
            return false;
        default:
            break;
        }
    }
    *key = (fw_view){into, sink.len};
    return ended && sink.fits && fw_key_kind_of(*key) != FW_KEY_UNUSABLE;
}

static bool read_number(const char *text, uint64_t *value)
{
    const size_t len = strlen(text);
    *value = 0;
    for (size_t index = 0; index < len; index++) {
        if (text[index] < '0' || text[index] > '9')
            return false;
        *value = *value * 10 + (uint64_t)(text[index] - '0');
    }
    return len > 0 && len <= 18;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_hexadecimal(const char *text, uint8_t *into, size_t size)
{
    if (strlen(text) != 2 * size)
        return false;
    for (size_t index = 0; index < size; index++) {
        const int high = digit(text[2 * index]), low = digit(text[2 * index + 1]);
        if (high < 0 || low < 0)
            return false;
        into[index] = (uint8_t)(high * 16 + low);
    }
    return true;
}

static bool take_option(asked *to, const char *name, const char *value)
{
    if (strcmp(name, "--root") == 0) {
        if (to->root_count == MAX_ROOTS || !read_root(value, root_bytes[to->root_count], &to->roots[to->root_count]))
            return false;
        to->root_count++;
        return true;
    }
    if (strcmp(name, "--grant-seen") == 0)
        return to->seen_count < MAX_SEEN && read_hexadecimal(value, seen_ids[to->seen_count++], FW_ID_BYTES);
    if (strcmp(name, "--subject") == 0)
        return to->has_subject = read_hexadecimal(value, subject_bytes, sizeof subject_bytes);
    if (strcmp(name, "--need") == 0)
        return to->has_need = read_number(value, &to->need);
    if (strcmp(name, "--now") == 0)
        return to->has_now = read_number(value, &to->now_s);
    if (strcmp(name, "--epoch") == 0)
        return read_number(value, &to->epoch);
    if (strcmp(name, "--minimum-sequence") == 0)
        return read_number(value, &to->sequence);
    const char **text = strcmp(name, "--trust") == 0        ? &to->trust
                        : strcmp(name, "--tenant") == 0     ? &to->tenant
                        : strcmp(name, "--lock-group") == 0 ? &to->lock_group
                                                            : NULL;
    if (text != NULL)
        *text = value;
    return text != NULL;
}

static int grant_seen(void *context, const uint8_t grant_id[FW_ID_BYTES])
{
    const asked *to = context;
    for (size_t index = 0; index < to->seen_count; index++) {
        if (memcmp(seen_ids[index], grant_id, FW_ID_BYTES) == 0)
            return FW_GRANT_TAKEN;
    }
    return FW_GRANT_NEW;
}

static void print_hexadecimal(const char *name, fw_view value)
{
    printf(", \"%s\": \"", name);
    for (size_t index = 0; index < value.len; index++)
        printf("%02x", value.data[index]);
    putchar('"');
}

int main(int count, char **arguments)
{
    static asked to;
    for (int index = 1; index < count; index++) {
        const bool is_option = strncmp(arguments[index], "--", 2) == 0;
        if (is_option && index + 1 < count && take_option(&to, arguments[index], arguments[index + 1])) {
            index++;
        } else if (is_option || to.record != NULL) {
            fprintf(stderr, "verify: can't use %s\n", arguments[index]);
            return NOT_RUN;
        } else {
            to.record = arguments[index];
        }
    }
    if (to.record == NULL || to.trust == NULL || to.root_count == 0 || !to.has_now) {
        fprintf(stderr, "verify --root PEM [--root PEM]... [--need N] --trust FILE --now SECONDS [--epoch N]\n"
                        "       [--minimum-sequence N] [--grant-seen HEX]... [--subject HEX] [--tenant TEXT]\n"
                        "       [--lock-group TEXT] RECORD\n");
        return NOT_RUN;
    }
    size_t record_len, store_len;
    if (!read_file(to.record, record_bytes, sizeof record_bytes, &record_len) ||
        !read_file(to.trust, store_bytes, sizeof store_bytes, &store_len)) {
        fprintf(stderr, "verify: can't read the record or the trust store\n");
        return NOT_RUN;
    }
    const size_t need = to.has_need ? (size_t)to.need : to.root_count;
    if (need < 1 || need > to.root_count) {
        fprintf(stderr, "verify: can't ask for %zu of %zu roots\n", need, to.root_count);
        return NOT_RUN;
    }

    /* What a lock's firmware does. */
    static fw_trust trust;
    static fw_template found;
    const fw_anchor anchor = {to.roots, to.root_count, need};
    const fw_lock lock = {&anchor, 1, to.tenant, to.lock_group};
    const fw_result opened = fw_trust_open(store_bytes, store_len, &lock, to.now_s, to.sequence, &trust);
    fw_result result = opened;
    if (opened == FW_ACCEPTED)
        result = fw_verify_new(record_bytes, record_len, &trust, to.now_s, to.epoch,
                               to.has_subject ? subject_bytes : NULL, grant_seen, &to, &found);

    /* What a lock keeps of a trust store that it took, also where the record is refused. */
    const bool is_refused = result != FW_ACCEPTED;
    printf("{\"verdict\": \"%s\", \"kind\": \"%s\"", is_refused ? "refuse" : "accept",
           is_refused ? fw_result_name(result) : "");
    if (opened == FW_ACCEPTED)
        printf(", \"sequence\": %llu, \"minimum_epoch\": %llu", (unsigned long long)trust.head.sequence,
               (unsigned long long)trust.head.minimum_epoch);
    if (is_refused) {
        printf("}\n");
        return REFUSE;
    }
    print_hexadecimal("record_id", found.record.record_id);
    print_hexadecimal("subject", found.record.subject);
    print_hexadecimal("grant_id", found.grant.grant_id);
    print_hexadecimal("record_sha256", (fw_view){found.digest, sizeof found.digest});
    printf(", \"record_epoch\": %llu, \"simulated\": %s, \"development\": %s}\n", (unsigned long long)found.record.epoch,
           found.simulated ? "true" : "false", found.development ? "true" : "false");
    return ACCEPT;
}
