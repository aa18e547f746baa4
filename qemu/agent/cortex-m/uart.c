/* The doorbell: the CMSDK APB UART, which holds one byte each way. Polled for sending, waited for when receiving. */
#include "cortex-m.h"

#define UART(offset) REGISTER(parameters.uart + (offset))

enum { DATA = 0x0, STATE = 0x4, CONTROL = 0x8, INTERRUPT = 0xc, DIVIDER = 0x10 };
enum { TX_FULL = 1, RX_FULL = 2 };
enum { TX_ENABLE = 1, RX_ENABLE = 2, RX_INTERRUPT_ENABLE = 8 };
enum { RX_INTERRUPT = 2 };

void uart_init(void)
{
    UART(DIVIDER) = 16;
    UART(CONTROL) = TX_ENABLE | RX_ENABLE | RX_INTERRUPT_ENABLE;
    (void)UART(DATA); /* QEMU asks its other end for bytes from a read on, and not because there is one that could be received */
}

u8 doorbell_wait(void)
{
    while (!(UART(STATE) & RX_FULL))
        cpu_wait();
    /* In this order: the next byte may come as soon as this one is taken. */
    UART(INTERRUPT) = RX_INTERRUPT;
    return UART(DATA);
}

u8 uart_take(void)
{
    return UART(STATE) & RX_FULL ? doorbell_wait() : 0;
}

void doorbell_ring(const u8 *bytes, u64 size)
{
    for (; size; size--) {
        while (UART(STATE) & TX_FULL)
            ;
        UART(DATA) = *bytes++;
    }
}

void bare_main(void) __attribute__((noreturn));

void bare_main(void)
{
    cpu_init();
    space_init();
    uart_init();
    link_shared((void *)parameters.shared, parameters.shared_size);
    serve();
}
