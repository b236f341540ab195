/* Judges each case on standard input, in one process: for the test against Python, for mutations, and to measure the stack.
 *
 * A case is now_s, highest sequence and epoch (8 bytes each, little-endian), how many anchors follow and how many of them
 * must have signed (a byte each), then blocks of a length (4 bytes) and that many bytes: the anchors' keys, the trust store,
 * the record, the subject, tenant and lock group (each empty where the lock doesn't know it) and the ids of grants that it
 * took, one after the other. The answer is three bytes, of the trust store, of the record as a new one, and of the record
 * as one that was taken before (the first's again where no trust store was taken): 0 is accepted, another the fw_result.
 * At the end the deepest stack of any case goes to standard error, in bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "faceward_lock.h"

#define STACK_BYTES (256u * 1024u)
#define PAINT 0xA5

#define MAX_ANCHORS 8u

typedef struct {
    uint64_t now_s, sequence, epoch;
    size_t count, need;
    fw_view anchors[MAX_ANCHORS];
    fw_view store, record, subject, tenant, lock_group, taken;
    uint8_t answer[3];
} judged;

static judged now;
static unsigned char stack[STACK_BYTES];
static ucontext_t outside, inside;

static int seen(void *context, const uint8_t grant_id[16])
{
    const fw_view *taken = context;
    for (size_t at = 0; at + 16 <= taken->len; at += 16) {
        if (memcmp(taken->data + at, grant_id, 16) == 0)
            return FW_GRANT_TAKEN;
    }
    return FW_GRANT_NEW;
}

static int unseen(void *context, const uint8_t grant_id[16])
{
    (void)context;
    (void)grant_id;
    return FW_GRANT_NEW;
}

static uint8_t answer_of(fw_result result)
{
    return result == FW_ACCEPTED ? 0 : (uint8_t)result;
}

static bool is_nothing(const fw_template *found)
{
    static const fw_template nothing;
    return memcmp(found, &nothing, sizeof nothing) == 0;
}

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void judge(void)
{
    /* Not on the stack that is measured: these are the caller's. */
    static fw_trust trust;
    static fw_template found;
    static fw_anchor anchor;
    static fw_lock lock;
    anchor = (fw_anchor){now.anchors, now.count, now.need};
    lock = (fw_lock){&anchor, 1, now.tenant.len ? (const char *)now.tenant.data : NULL,
                     now.lock_group.len ? (const char *)now.lock_group.data : NULL};
    const fw_result opened = fw_trust_open(now.store.data, now.store.len, &lock, now.now_s, now.sequence, &trust);
    now.answer[0] = now.answer[1] = now.answer[2] = answer_of(opened);
    if (opened != FW_ACCEPTED) {
        const fw_result closed =
            fw_verify_new(now.record.data, now.record.len, &trust, now.now_s, 0, NULL, unseen, NULL, &found);
        require(closed != FW_ACCEPTED && is_nothing(&found)); /* by a trust store that was refused, nothing is accepted */
        return;
    }
    const uint8_t *subject = now.subject.len == 32 ? now.subject.data : NULL;
    fw_result result =
        fw_verify_new(now.record.data, now.record.len, &trust, now.now_s, now.epoch, subject, seen, &now.taken, &found);
    now.answer[1] = answer_of(result);
    require(result == FW_ACCEPTED || is_nothing(&found));
    /* As when it was taken by a lock that knows no grant, so that what follows is what step 11 alone does not say. */
    uint8_t taken[32] = {0};
    if (fw_verify_new(now.record.data, now.record.len, &trust, now.now_s, now.epoch, subject, unseen, NULL, &found) ==
        FW_ACCEPTED)
        memcpy(taken, found.digest, sizeof taken);
    result = fw_verify_again(now.record.data, now.record.len, &trust, now.now_s, now.epoch, subject, taken, &found);
    now.answer[2] = answer_of(result);
    require(result == FW_ACCEPTED || is_nothing(&found));
    if (result == FW_ACCEPTED) {
        taken[31] ^= 1; /* another record under that grant */
        result = fw_verify_again(now.record.data, now.record.len, &trust, now.now_s, now.epoch, subject, taken, &found);
        require(result == FW_GRANT_USED && is_nothing(&found));
        result = fw_verify_again(now.record.data, now.record.len, &trust, now.now_s, now.epoch, subject, NULL, &found);
        require(result == FW_GRANT_USED && is_nothing(&found));
    }
    result =
        fw_verify_new(now.record.data, now.record.len, &trust, now.now_s, now.epoch, subject, NULL, NULL, &found);
    require(result != FW_ACCEPTED && is_nothing(&found)); /* a lock that can't tell which grants it took takes none */
}

static uint64_t read_number(int bytes)
{
    uint64_t value = 0;
    for (int index = 0; index < bytes; index++) {
        const int byte = getchar();
        if (byte == EOF)
            exit(index == 0 ? 0 : 2);
        value |= (uint64_t)byte << (8 * index);
    }
    return value;
}

/* In a block of exactly its size, so that AddressSanitizer sees the first byte that is read past it. */
static fw_view read_block(void)
{
    const size_t len = (size_t)read_number(4);
    uint8_t *data = malloc(len ? len : 1);
    if (data == NULL || fread(data, 1, len, stdin) != len)
        exit(2);
    return (fw_view){data, len};
}

static void forget(fw_view block)
{
    free((void *)(uintptr_t)block.data);
}

static size_t depth(void)
{
    size_t unused = 0;
    while (unused < STACK_BYTES && stack[unused] == PAINT)
        unused++;
    return STACK_BYTES - unused;
}

int main(void)
{
    memset(stack, PAINT, sizeof stack);
    for (;;) {
        const int first = getchar();
        if (first == EOF)
            break;
        ungetc(first, stdin);
        now.now_s = read_number(8);
        now.sequence = read_number(8);
        now.epoch = read_number(8);
        now.count = (size_t)read_number(1);
        now.need = (size_t)read_number(1);
        if (now.count > MAX_ANCHORS)
            return 2;
        for (size_t index = 0; index < now.count; index++)
            now.anchors[index] = read_block();
        now.store = read_block();
        now.record = read_block();
        now.subject = read_block();
        now.tenant = read_block(); /* these two end with a NUL */
        now.lock_group = read_block();
        now.taken = read_block();
#ifdef __SANITIZE_ADDRESS__
        (void)outside, (void)inside;
        judge();
#else
        getcontext(&inside);
        inside.uc_stack.ss_sp = stack;
        inside.uc_stack.ss_size = sizeof stack;
        inside.uc_link = &outside;
        makecontext(&inside, judge, 0);
        swapcontext(&outside, &inside);
#endif
        fwrite(now.answer, 1, sizeof now.answer, stdout);
        for (size_t index = 0; index < now.count; index++)
            forget(now.anchors[index]);
        forget(now.store);
        forget(now.record);
        forget(now.subject);
        forget(now.tenant);
        forget(now.lock_group);
        forget(now.taken);
    }
    fprintf(stderr, "%zu\n", depth());
    return fflush(stdout) ? 2 : 0;
}
