/* Judges each case on standard input, in one process: for the test against Python, for mutations, and to measure the stack.
 *
 * A case is now_s, highest sequence and epoch (8 bytes each, little-endian), a byte that is 1 where the lock took the grant
 * before, then four blocks of a length (4 bytes) and that many bytes: the anchor's key, the trust store, the subject (or
 * nothing) and the record. The answer is two bytes: of the trust store and, where that was accepted, of the record; 0 is
 * accepted, another the fw_result. At the end the deepest stack of any case goes to standard error, in bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "faceward_lock.h"

#define STACK_BYTES (256u * 1024u)
#define PAINT 0xA5

typedef struct {
    uint64_t now_s, sequence, epoch;
    int taken;
    fw_view anchor, store, subject, record;
    uint8_t answer[2];
} judged;

static judged now;
static unsigned char stack[STACK_BYTES];
static ucontext_t outside, inside;

static int seen(void *context, const uint8_t grant_id[16])
{
    (void)grant_id;
    return *(const int *)context ? FW_GRANT_TAKEN : FW_GRANT_NEW;
}

static uint8_t answer_of(fw_result result)
{
    return result == FW_ACCEPTED ? 0 : (uint8_t)result;
}

static void judge(void)
{
    /* Not on the stack that is measured: these are the caller's. */
    static fw_trust trust;
    static fw_template found;
    const fw_anchor anchor = {&now.anchor, 1, 1};
    const fw_lock lock = {&anchor, 1, NULL, NULL};
    const fw_result opened = fw_trust_open(now.store.data, now.store.len, &lock, now.now_s, now.sequence, &trust);
    fw_result result = opened;
    if (opened == FW_ACCEPTED)
        result = fw_verify_new(now.record.data, now.record.len, &trust, now.now_s, now.epoch,
                               now.subject.len == 32 ? now.subject.data : NULL, seen, &now.taken, &found);
    static const fw_template nothing;
    if (result != FW_ACCEPTED && opened == FW_ACCEPTED && memcmp(&found, &nothing, sizeof found) != 0)
        abort(); /* a refusal left something behind */
    now.answer[0] = answer_of(opened);
    now.answer[1] = answer_of(result);
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
        now.taken = (int)read_number(1);
        now.anchor = read_block();
        now.store = read_block();
        now.subject = read_block();
        now.record = read_block();
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
        fwrite(now.answer, 1, 2, stdout);
        free((void *)(uintptr_t)now.anchor.data);
        free((void *)(uintptr_t)now.store.data);
        free((void *)(uintptr_t)now.subject.data);
        free((void *)(uintptr_t)now.record.data);
    }
    fprintf(stderr, "%zu\n", depth());
    return fflush(stdout) ? 2 : 0;
}
