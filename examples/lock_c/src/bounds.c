#include "bounds.h"

#define MAX_NUMBERS 8u
#define MAX_DIGITS 9u

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_alphanumeric(uint8_t c)
{
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool fw_is_identifier(fw_view text)
{
    if (text.len == 0 || text.len > 64 || !is_alphanumeric(text.data[0]))
        return false;
    for (size_t index = 1; index < text.len; index++) {
        const uint8_t c = text.data[index];
        if (!is_alphanumeric(c) && c != '.' && c != '_' && c != '+' && c != '-')
            return false;
    }
    return true;
}

bool fw_is_text(fw_view text, size_t limit)
{
    if (text.len == 0 || text.len > limit)
        return false;
    for (size_t index = 0; index < text.len; index++) {
        const uint8_t c = text.data[index];
        if (c < 0x20 || c == 0x7F)
            return false;
        if (c == 0xC2 && text.data[index + 1] < 0xA0) /* U+0080 to U+009F; UTF-8, so a second byte is there */
            return false;
    }
    return true;
}

bool fw_are_times(uint64_t issued_at_s, uint64_t expires_at_s)
{
    return issued_at_s > 0 && issued_at_s < expires_at_s && expires_at_s < FW_MAX_TIME_S;
}

static bool read_dotted(fw_view version, uint32_t numbers[MAX_NUMBERS])
{
    size_t at = 0, count = 0;
    for (;;) {
        const size_t start = at;
        uint32_t number = 0;
        while (at < version.len && is_digit(version.data[at]) && at - start < MAX_DIGITS)
            number = number * 10 + (uint32_t)(version.data[at++] - '0');
        if (at == start || count == MAX_NUMBERS || (version.data[start] == '0' && at - start > 1))
            return false;
        numbers[count++] = number;
        if (at == version.len)
            break;
        if (version.data[at++] != '.')
            return false;
    }
    while (count < MAX_NUMBERS)
        numbers[count++] = 0;
    return true;
}

bool fw_is_dotted(fw_view version)
{
    uint32_t numbers[MAX_NUMBERS];
    return read_dotted(version, numbers);
}

bool fw_reaches(fw_view version, fw_view minimum)
{
    uint32_t found[MAX_NUMBERS], floor[MAX_NUMBERS];
    if (!read_dotted(version, found) || !read_dotted(minimum, floor))
        return false;
    for (size_t index = 0; index < MAX_NUMBERS; index++) {
        if (found[index] != floor[index])
            return found[index] > floor[index];
    }
    return true;
}
