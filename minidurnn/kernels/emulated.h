// CUDA C++ for g++, as far as recurrences.cu needs it: blocks run one after another, and the threads of a block are
// fibers, of which one runs until it comes to a barrier or ends, then the next one, in an order that a test chooses.
#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <utility>
#include <vector>

#define __global__
#define __device__
#define __launch_bounds__(most)

struct Place { unsigned x; };
static Place threadIdx, blockIdx, blockDim;
static float __int_as_float(int bits) { float number; memcpy(&number, &bits, sizeof number); return number; }

enum { FORWARD, REVERSED, SHUFFLED };
enum { DONE, BARRIERS_DIFFER, BEYOND_SHARED };
const size_t ROOM = 1 << 18, STACK = 1 << 16;
static char shared_memory[ROOM] __attribute__((aligned(16)));

// A fiber begins in a context of its own and is kept for later blocks; from turn to turn it goes by longjmp, which,
// unlike swapcontext, asks nothing of the system.
struct Fiber { ucontext_t context; jmp_buf waiting; char* stack; bool begun, ended; };
static std::vector<Fiber> fibers;
static jmp_buf turns;                                         // where the taking of turns goes on
static unsigned running;
static void (*kernel)(void**);
static void** arguments;

static __attribute__((noinline)) void __syncthreads() {
    if (!_setjmp(fibers[running].waiting)) _longjmp(turns, 1);
}

static void body() {
    for (;;) {
        kernel(arguments);
        fibers[running].ended = true;
        __syncthreads();                                      // until the next block
    }
}

static __attribute__((noinline)) void take_turn(Fiber& fiber) {
    if (_setjmp(turns)) return;
    if (fiber.begun) _longjmp(fiber.waiting, 1);
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack;
    fiber.context.uc_stack.ss_size = STACK;
    fiber.begun = true;
    makecontext(&fiber.context, body, 0);
    setcontext(&fiber.context);
}

static std::vector<unsigned> ordered(unsigned count, int order) {
    static unsigned long long seed = 1;
    std::vector<unsigned> places(count);
    for (unsigned i = 0; i < count; i++) places[i] = order == REVERSED ? count - 1 - i : i;
    for (unsigned i = count; order == SHUFFLED && i > 1; i--) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        std::swap(places[i - 1], places[(seed >> 33) % i]);
    }
    return places;
}

// All threads of a block between their barriers, until all have ended.
static int run_block(int order) {
    for (auto& fiber : fibers) fiber.ended = false;
    for (unsigned ended = 0; ended < fibers.size();) {
        if (ended) {                                          // some threads wait where others never come
            for (auto& fiber : fibers) fiber.begun = false;
            return BARRIERS_DIFFER;
        }
        for (unsigned place : ordered(fibers.size(), order)) {
            running = threadIdx.x = place;
            take_turn(fibers[place]);
            ended += fibers[place].ended;
        }
    }
    return DONE;
}

extern "C" int launch(
    void (*function)(void**), void** given, unsigned blocks, unsigned threads, unsigned shared, int order) {
    kernel = function;
    arguments = given;
    blockDim.x = threads;
    while (fibers.size() < threads) fibers.push_back({{}, {}, (char*)malloc(STACK), false, true});
    for (; fibers.size() > threads; fibers.pop_back()) free(fibers.back().stack);
    for (unsigned block : ordered(blocks, order)) {
        blockIdx.x = block;
        memset(shared_memory, 0xff, ROOM);                    // NaN: what was read before it was written shows
        if (int wrong = run_block(order)) return wrong;
        const char* beyond = shared_memory + shared;          // as memset left it: each byte as the one before
        if (beyond[0] != (char)0xff || memcmp(beyond, beyond + 1, ROOM - shared - 1)) return BEYOND_SHARED;
    }
    return DONE;
}

template <class... A, size_t... I> static void spread(void (*function)(A...), void** given, std::index_sequence<I...>) {
    function(*(A*)given[I]...);
}
template <class... A> static void call(void (*function)(A...), void** given) {
    spread(function, given, std::index_sequence_for<A...>{});
}
