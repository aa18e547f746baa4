/* The doorbell on bare metal: the PL011, polled for sending, waited for when receiving. */
#include "bare.h"

static volatile u32 *const uart = (volatile u32 *)(uptr)(UART + OFFSET);
static volatile u32 *const interrupts = (volatile u32 *)(uptr)(INTERRUPTS + OFFSET);

/* Registers, in words (PL011 TRM, BCM2835 ARM Peripherals). */
enum { DATA = 0, FLAGS = 0x18 / 4, LINE = 0x2c / 4, CONTROL = 0x30 / 4, MASK = 0x38 / 4, CLEAR = 0x44 / 4 };
enum { RX_EMPTY = 1 << 4, TX_FULL = 1 << 5 };
enum { RX_INTERRUPT = 1 << 4, RX_TIMEOUT = 1 << 6 };
enum { ENABLE_2 = 0x14 / 4 };

void uart_init(void)
{
    uart[CONTROL] = 0;
    uart[LINE] = 3 << 5 | 1 << 4; /* 8 bits, with FIFOs */
    uart[CONTROL] = 1 | 1 << 8 | 1 << 9;
    uart[MASK] = RX_INTERRUPT | RX_TIMEOUT;
    interrupts[ENABLE_2] = 1 << (UART_INTERRUPT - 32);
}

/* The interrupt stays pending at the processor, where it is masked: that ends the wait. */
u8 doorbell_wait(void)
{
    while (uart[FLAGS] & RX_EMPTY)
        cpu_wait();
    u8 byte = uart[DATA];
    if (uart[FLAGS] & RX_EMPTY)
        uart[CLEAR] = RX_INTERRUPT | RX_TIMEOUT;
    return byte;
}

u8 uart_take(void)
{
    return uart[FLAGS] & RX_EMPTY ? 0 : doorbell_wait();
}

void doorbell_ring(const u8 *bytes, u64 size)
{
    for (; size; size--) {
        while (uart[FLAGS] & TX_FULL)
            ;
        uart[DATA] = *bytes++;
    }
}

void bare_main(void) __attribute__((noreturn));

void bare_main(void)
{
    cpu_init();
    space_init();
    uart_init();
    link_shared((void *)(uptr)(SHARED + OFFSET), SHARED_SIZE);
    serve();
}
