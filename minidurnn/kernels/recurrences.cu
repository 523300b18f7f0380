// The loops over time of minidurnn/scans as CUDA kernels. A plain loop asks the GPU for a few small operations at every
// step, and asking takes longer than doing. A kernel is asked once and walks through all T steps by itself.
//
// Arrays   contiguous and time first: in (T, B, H) step t of sequence b and unit j stands at (t B + b) H + j.
// real     float or double: the loader compiles this file once for each, with -DREAL=float or -DREAL=double.
// Zero     dh and carry may be null pointers, which count as zero, as None does in Python.
// Order    every sum is made by one thread, in one order: the same inputs give the same bits at every run.
//
// Part 1 holds the activations, part 2 the scans without a matrix, part 3 those with one.

typedef REAL real;
typedef long long whole;                                      // places and steps: T B H may be more than an int holds

// ---------------------------------------------------------------------------------------------------- 1. activations

enum { RELU, TANH, SIGMOID, IDENTITY };                       // the order of arrays.activations.NAMES

__device__ inline real sigmoid(real a) { return real(0.5) + real(0.5) * tanh(real(0.5) * a); }    // overflows for no a

__device__ inline real value(int activation, real a) {        // relu lets NaN pass, as NumPy does
    switch (activation) {
        case RELU: return a < 0 ? real(0) : a;
        case TANH: return tanh(a);
        case SIGMOID: return sigmoid(a);
        default: return a;
    }
}

__device__ inline real slope(int activation, real h) {        // from the output h, as in arrays.activations.slope
    switch (activation) {
        case RELU: return h > 0 ? real(1) : real(0);
        case TANH: return 1 - h * h;
        case SIGMOID: return h * (1 - h);
        default: return 1;
    }
}

// ------------------------------------------------------------------------- 2. scans without a matrix: one column each
//
// Without a matrix no unit hears another one. So a column, one unit of one sequence through all steps, is the work of
// one thread, which keeps the state in a register. There are C = B H columns; step t of column c stands at t C + c, so
// that neighbouring threads read neighbouring numbers, as the memory likes it.
//
// Where there are too few columns to keep a GPU busy, time is cut into pieces, and a thread has one piece of a column.
// It needs the state in front of its piece. That takes three launches (Martin, Cundy 2018):
//
//   MAPS     each thread finds what its piece does to whatever state comes in, without knowing it: a map
//   STARTS   one thread a column goes from piece to piece and applies the maps: the state in front of every piece
//   STEPS    each thread runs through its piece from that state, and writes the results
//
// With one piece there is only the last launch. All three are one kernel, told by `phase`.

enum { MAPS, STARTS, STEPS };
const int AHEAD = 8;                                          // steps whose numbers are asked for together
#define INFINITE real(__int_as_float(0x7f800000))              // by its bits: no header is at hand that names it
const real LARGEST = 1e4;                                     // a piece that multiplies by more has no map

// What some steps do to a state: h -> clip(a h + b, low, high). One step of a gated scan is (f, v, -inf, inf), one of
// h = relu(u h + v) is (u, v, 0, inf), and two such maps one after the other are such a map again.
struct Map {
    real a, b, low, high;

    __device__ static real clip(real x, real low, real high) { return x < low ? low : x > high ? high : x; }

    __device__ real of(real h) const { return clip(a * h + b, low, high); }

    __device__ Map then(const Map& next) const {
        real p = next.b, q = next.b;                          // where a is 0 (and 0 times infinity is no number)
        if (next.a > 0) { p += next.a * low; q += next.a * high; }
        if (next.a < 0) { p += next.a * high; q += next.a * low; }
        return {next.a * a, next.a * b + next.b, clip(p, next.low, next.high), clip(q, next.low, next.high)};
    }

    __device__ bool exact() const { return fabs(a) <= LARGEST && fabs(b) <= real(1e30); }     // false for NaN too
};

// The four scans. Each says what one step reads (load), what the state is after it (next), the same as a Map (map),
// and what is written (write). The backward scans count steps from the last one; their state is what arrives at h[t]
// from the steps after t. `mine` is this thread's share of du.

template <int activation> struct Diagonal {                   // h[t] = φ(a[t] + u h[t-1])
    const real* a; real u; real* h; whole C, column; real mine;
    typedef real Item;
    __device__ real load(whole t) const { return a[t * C + column]; }
    __device__ real next(real a_t, real before) const { return value(activation, a_t + u * before); }
    __device__ Map map(real a_t) const { return {u, a_t, activation == RELU ? real(0) : -INFINITE, INFINITE}; }
    __device__ void write(whole t, real, real, real after) { h[t * C + column] = after; }
};

template <int activation> struct DiagonalBackward {           // da[t] = φ'[t] (dh[t] + u da[t+1])
    const real *dh, *h; real u, h0; real* da; whole T, C, column; real mine;
    struct Item { real dh, slope, before; };
    __device__ Item load(whole n) const {
        whole place = (T - 1 - n) * C + column;
        return {dh ? dh[place] : real(0), slope(activation, h[place]), n < T - 1 ? h[place - C] : h0};
    }
    __device__ real next(Item i, real arriving) const { return u * (i.slope * (i.dh + arriving)); }
    __device__ Map map(Item i) const { return {u * i.slope, u * i.slope * i.dh, -INFINITE, INFINITE}; }
    __device__ void write(whole n, Item i, real arriving, real) {
        real da_t = i.slope * (i.dh + arriving);
        da[(T - 1 - n) * C + column] = da_t;
        mine += da_t * i.before;
    }
};

struct Gated {                                                // h[t] = f[t] h[t-1] + v[t], or from the end
    const real *f, *v; real* h; whole T, C, column; bool reverse; real mine;
    struct Item { real f, v; };
    __device__ whole place(whole n) const { return (reverse ? T - 1 - n : n) * C + column; }
    __device__ Item load(whole n) const { return {f[place(n)], v[place(n)]}; }
    __device__ real next(Item i, real before) const { return i.f * before + i.v; }
    __device__ Map map(Item i) const { return {i.f, i.v, -INFINITE, INFINITE}; }
    __device__ void write(whole n, Item, real, real after) { h[place(n)] = after; }
};

struct GatedBackward {                                        // dv[t] = dh[t] + f[t+1] dv[t+1], df[t] = dv[t] h[t-1]
    const real *dh, *h, *f; real h0; real *df, *dv; whole T, C, column; real mine;
    struct Item { real dh, f, before; };
    __device__ Item load(whole n) const {
        whole place = (T - 1 - n) * C + column;
        return {dh ? dh[place] : real(0), f[place], n < T - 1 ? h[place - C] : h0};
    }
    __device__ real next(Item i, real arriving) const { return i.f * (i.dh + arriving); }
    __device__ Map map(Item i) const { return {i.f, i.f * i.dh, -INFINITE, INFINITE}; }
    __device__ void write(whole n, Item i, real arriving, real) {
        whole place = (T - 1 - n) * C + column;
        dv[place] = i.dh + arriving;
        df[place] = (i.dh + arriving) * i.before;
    }
};

// Visit the steps from `first` up to `end`, in order, with what each one reads. The loads of AHEAD steps are under way
// together: one alone would make every step wait for the memory, which takes far longer than a step.
template <class Scan, class Visit> __device__ void walk(const Scan& scan, whole first, whole end, Visit visit) {
    for (whole t = first; t < end; t += AHEAD) {
        typename Scan::Item items[AHEAD];
        #pragma unroll
        for (int i = 0; i < AHEAD; i++) if (t + i < end) items[i] = scan.load(t + i);
        #pragma unroll
        for (int i = 0; i < AHEAD; i++) if (t + i < end) visit(t + i, items[i]);
    }
}

struct Pieces { real *maps, *starts; whole T, C, pieces; int phase; };

// One phase of a scan for one thread. `start` is the state in front of the first piece; `last` (or null) receives the
// state behind the last piece, and `shares` (or null) what every thread has added up in `mine`.
template <class Scan>
__device__ void run(Scan scan, Pieces p, whole piece, real start, real* last = nullptr, real* shares = nullptr) {
    whole place = piece * p.C + scan.column, first = piece * p.T / p.pieces, end = (piece + 1) * p.T / p.pieces;
    Map* maps = (Map*)p.maps;
    if (p.phase == MAPS) {
        Map all = {1, 0, -INFINITE, INFINITE};                // leaves any state as it is
        walk(scan, first, end, [&](whole, typename Scan::Item item) { all = all.then(scan.map(item)); });
        maps[place] = all;
    } else if (p.phase == STARTS) {
        if (piece) return;                                    // one thread a column
        real state = start;
        for (whole k = 0; k < p.pieces; k++) {
            p.starts[k * p.C + scan.column] = state;
            Map all = maps[k * p.C + scan.column];
            if (all.exact()) state = all.of(state);
            else walk(scan, k * p.T / p.pieces, (k + 1) * p.T / p.pieces,
                      [&](whole, typename Scan::Item item) { state = scan.next(item, state); });
        }
    } else {
        real state = p.pieces == 1 ? start : p.starts[place];
        scan.mine = 0;
        walk(scan, first, end, [&](whole t, typename Scan::Item item) {
            real after = scan.next(item, state);
            scan.write(t, item, state, after);
            state = after;
        });
        if (last && piece == p.pieces - 1) last[scan.column] = state;
        if (shares) shares[place] = scan.mine;
    }
}

// The arguments with which every kernel of this part begins. Threads beyond the last column leave.
#define PIECES real *maps, real *starts, whole T, whole C, whole pieces, int phase
#define PIECE_AND_COLUMN                                                        \
    whole thread = (whole)blockIdx.x * blockDim.x + threadIdx.x;                \
    if (thread >= pieces * C) return;                                           \
    whole piece = thread / C, column = thread % C;                              \
    Pieces p = {maps, starts, T, C, pieces, phase};

#define BY_ACTIVATION(run_with)                                                 \
    switch (activation) {                                                       \
        case RELU: run_with(RELU); break;                                       \
        case TANH: run_with(TANH); break;                                       \
        case SIGMOID: run_with(SIGMOID); break;                                 \
        default: run_with(IDENTITY);                                            \
    }

extern "C" __global__ void diagonal_scan(
    PIECES, const real* a, const real* u, const real* h0, real* h, whole H, int activation) {
    PIECE_AND_COLUMN
    #define RUN(A) run(Diagonal<A>{a, u[column % H], h, C, column}, p, piece, h0[column])
    BY_ACTIVATION(RUN)
    #undef RUN
}

extern "C" __global__ void diagonal_scan_backward(
    PIECES, const real* dh, const real* h, const real* u, const real* h0, const real* carry,
    real* da, real* du_shares, real* dh0, whole H, int activation) {
    PIECE_AND_COLUMN
    real start = carry ? carry[column] : real(0);
    #define RUN(A) run(DiagonalBackward<A>{dh, h, u[column % H], h0[column], da, T, C, column}, p, piece, start, \
                       dh0, du_shares)
    BY_ACTIVATION(RUN)
    #undef RUN
}

extern "C" __global__ void gated_scan(PIECES, const real* f, const real* v, const real* h0, real* h, int reverse) {
    PIECE_AND_COLUMN
    run(Gated{f, v, h, T, C, column, reverse != 0}, p, piece, h0[column]);
}

extern "C" __global__ void gated_scan_backward(
    PIECES, const real* dh, const real* h, const real* f, const real* h0, const real* carry,
    real* df, real* dv, real* dh0) {
    PIECE_AND_COLUMN
    real start = carry ? carry[column] : real(0);
    run(GatedBackward{dh, h, f, h0[column], df, dv, T, C, column}, p, piece, start, dh0);
}

// -------------------------------------------------------------------- 3. scans with a matrix: tiles of the batch
//
// With a matrix U every unit hears all units of its own sequence, but none of another one. So a block takes a tile, R
// sequences, through all T steps, and no block waits for another. Thread j makes unit j of all R sequences (and units
// j + blockDim.x, ... where there are more units than threads).
//
// Reading U from the memory at every step would cost more than the rest. A block copies as many rows of U as there is
// room for into shared memory, which lies on the chip, and reads only the others again. What it hands from step to
// step lies there too, twice: one copy is read while the next one is written, so that one barrier a step is enough.
// A number of U, once read, serves R sequences.
//
// A tile may reach over the end of the batch. Its sequences beyond the last one repeat the last one: they compute the
// same numbers and write them to the same places.

extern __shared__ __align__(16) real chip[];

struct Matrix { const real *near, *far; int kept, rows, width; };      // rows 0 .. kept - 1 are near, on the chip

// Copy the first `kept` rows of M (rows, width) to the chip, all threads together. Wait for a barrier before reading.
__device__ inline Matrix keep(const real* M, int kept, int rows, int width) {
    for (int i = threadIdx.x; i < kept * width; i += blockDim.x) chip[i] = M[i];
    return {chip, M, kept, rows, width};
}

// sums[g][r] = Σ_k x[k][r] M[k][g H + j]: unit j's G columns of the product x M, for R sequences. x is on the chip.
template <int G, int R>
__device__ inline void add_rows(const real* x, const real* M, int from, int to, int width, int H, real (&sums)[G][R]) {
    #pragma unroll 4
    for (int k = from; k < to; k++)
        for (int g = 0; g < G; g++) {
            real weight = M[(size_t)k * width + g * H];
            for (int r = 0; r < R; r++) sums[g][r] += x[k * R + r] * weight;
        }
}

template <int G, int R>
__device__ inline void product(const real* x, const Matrix& M, int H, int j, real (&sums)[G][R]) {
    for (int g = 0; g < G; g++) for (int r = 0; r < R; r++) sums[g][r] = 0;
    add_rows<G, R>(x, M.near + j, 0, M.kept, M.width, H, sums);
    add_rows<G, R>(x, M.far + j, M.kept, M.rows, M.width, H, sums);
}

// Where the tile's sequences stand in an array (T, B, width): at(t, r) is the first of that row's numbers.
struct Tile {
    whole B; int R;
    __device__ whole sequence(int r) const { whole b = (whole)blockIdx.x * R + r; return b < B ? b : B - 1; }
    __device__ whole at(whole t, int r, int width) const { return (t * B + sequence(r)) * width; }
};

#define EVERY_UNIT for (int j = threadIdx.x; j < H; j += blockDim.x)
#define EVERY_SEQUENCE for (int r = 0; r < R; r++)

__device__ inline void swap(real*& one, real*& other) { real* was = one; one = other; other = was; }

template <int R> __device__ void matrix_steps(
    const real* a, const real* U, const real* h0, real* h, whole T, whole B, int H, int kept, int activation) {
    Tile tile = {B, R};
    Matrix M = keep(U, kept, H, H);
    real *before = chip + kept * H, *after = before + H * R;  // (H, R): h[t-1], h[t]
    EVERY_UNIT EVERY_SEQUENCE before[j * R + r] = h0[tile.at(0, r, H) + j];
    __syncthreads();
    for (whole t = 0; t < T; t++) {
        EVERY_UNIT {
            real given[R], sums[1][R];
            EVERY_SEQUENCE given[r] = a[tile.at(t, r, H) + j];        // asked for early: it arrives during the product
            product<1, R>(before, M, H, j, sums);
            EVERY_SEQUENCE h[tile.at(t, r, H) + j] = after[j * R + r] = value(activation, given[r] + sums[0][r]);
        }
        __syncthreads();                                      // h[t] is whole, and nobody reads h[t-1] any more
        swap(before, after);
    }
}

// What arrives at unit j of h[t] from step t + 1: its column of d[t+1] Uᵀ, or at the last step the carry.
template <int R>
__device__ inline void arriving(bool last, const real* carry, const real* later, const Matrix& M, const Tile& tile,
                                int H, int j, real (&total)[1][R]) {
    if (!last) product<1, R>(later, M, H, j, total);
    else EVERY_SEQUENCE total[0][r] = carry ? carry[tile.at(0, r, H) + j] : real(0);
}

template <int R> __device__ void matrix_steps_backward(
    const real* dh, const real* h, const real* U_back, const real* carry, real* da, real* dh0,
    whole T, whole B, int H, int kept, int activation) {
    Tile tile = {B, R};
    Matrix M = keep(U_back, kept, H, H);
    real *later = chip + kept * H, *now = later + H * R;      // (H, R): da[t+1], da[t]
    __syncthreads();
    for (whole t = T - 1; t >= 0; t--) {
        EVERY_UNIT {
            real local[R], above[R], total[1][R];
            EVERY_SEQUENCE {
                whole place = tile.at(t, r, H) + j;
                local[r] = slope(activation, h[place]);
                above[r] = dh ? dh[place] : real(0);
            }
            arriving(t == T - 1, carry, later, M, tile, H, j, total);
            EVERY_SEQUENCE da[tile.at(t, r, H) + j] = now[j * R + r] = local[r] * (total[0][r] + above[r]);
        }
        __syncthreads();
        swap(later, now);
    }
    EVERY_UNIT {
        real total[1][R];
        arriving(false, carry, later, M, tile, H, j, total);
        EVERY_SEQUENCE dh0[tile.at(0, r, H) + j] = total[0][r];
    }
}

// gates (T, 4, B, H) in the order o, i, f, z; a, da (T, B, 4H) and U (H, 4H) in the order i, f, z, o.
template <int R> __device__ void lstm_steps(
    const real* a, const real* U, const real* h0, const real* c0, real* h, real* c, real* gates, real* tanh_c,
    whole T, whole B, int H, int kept) {
    Tile tile = {B, R};
    Matrix M = keep(U, kept, H, 4 * H);
    real *before = chip + kept * 4 * H, *after = before + H * R, *cell = after + H * R;     // h[t-1], h[t], c: (H, R)
    EVERY_UNIT EVERY_SEQUENCE {
        before[j * R + r] = h0[tile.at(0, r, H) + j];
        cell[j * R + r] = c0[tile.at(0, r, H) + j];
    }
    __syncthreads();
    for (whole t = 0; t < T; t++) {
        EVERY_UNIT {
            real given[4][R], sums[4][R];
            for (int g = 0; g < 4; g++) EVERY_SEQUENCE given[g][r] = a[tile.at(t, r, 4 * H) + g * H + j];
            product<4, R>(before, M, H, j, sums);
            EVERY_SEQUENCE {
                real i = sigmoid(given[0][r] + sums[0][r]), f = sigmoid(given[1][r] + sums[1][r]);
                real z = tanh(given[2][r] + sums[2][r]), o = sigmoid(given[3][r] + sums[3][r]);
                real c_t = f * cell[j * R + r] + i * z, squashed = tanh(c_t);
                whole place = tile.at(t, r, H) + j, gate = tile.at(4 * t, r, H) + j;
                gates[gate] = o; gates[gate + B * H] = i; gates[gate + 2 * B * H] = f; gates[gate + 3 * B * H] = z;
                c[place] = cell[j * R + r] = c_t;
                tanh_c[place] = squashed;
                h[place] = after[j * R + r] = o * squashed;
            }
        }
        __syncthreads();
        swap(before, after);
    }
}

template <int R> __device__ void lstm_steps_backward(
    const real* dh, const real* c, const real* gates, const real* tanh_c, const real* U_back, const real* c0,
    const real* carry, const real* carry_c, real* da, real* dh0, real* dc0, whole T, whole B, int H, int kept) {
    Tile tile = {B, R};
    Matrix M = keep(U_back, kept, 4 * H, H);
    real *later = chip + kept * H, *now = later + 4 * H * R, *cell = now + 4 * H * R;       // da (4H, R); dc (H, R)
    EVERY_UNIT EVERY_SEQUENCE cell[j * R + r] = carry_c ? carry_c[tile.at(0, r, H) + j] : real(0);
    __syncthreads();
    for (whole t = T - 1; t >= 0; t--) {
        EVERY_UNIT {
            real local[4][R], to_c[R], forget[R], above[R], total[1][R];
            EVERY_SEQUENCE {                                  // the factors, while the product is not yet there
                whole place = tile.at(t, r, H) + j, gate = tile.at(4 * t, r, H) + j;
                real o = gates[gate], i = gates[gate + B * H], f = gates[gate + 2 * B * H], z = gates[gate + 3 * B * H];
                real squashed = tanh_c[place], c_before = t ? c[place - B * H] : c0[tile.at(0, r, H) + j];
                above[r] = dh ? dh[place] : real(0);
                to_c[r] = o * (1 - squashed * squashed);      // ∂h[t]/∂c[t]
                forget[r] = f;
                local[0][r] = z * i * (1 - i);                // ∂c[t]/∂a[t] of i, f, z; ∂h[t]/∂a[t] of o
                local[1][r] = c_before * f * (1 - f);
                local[2][r] = i * (1 - z * z);
                local[3][r] = squashed * o * (1 - o);
            }
            arriving(t == T - 1, carry, later, M, tile, H, j, total);
            EVERY_SEQUENCE {
                real dh_t = total[0][r] + above[r], dc = cell[j * R + r] + dh_t * to_c[r];
                for (int g = 0; g < 4; g++)
                    da[tile.at(t, r, 4 * H) + g * H + j] = now[(g * H + j) * R + r] = local[g][r] * (g < 3 ? dc : dh_t);
                cell[j * R + r] = dc * forget[r];             // what arrives at c[t-1]
            }
        }
        __syncthreads();
        swap(later, now);
    }
    EVERY_UNIT {
        real total[1][R];
        arriving(false, carry, later, M, tile, H, j, total);
        EVERY_SEQUENCE {
            dh0[tile.at(0, r, H) + j] = total[0][r];
            dc0[tile.at(0, r, H) + j] = cell[j * R + r];
        }
    }
}

// gates (T, 3, B, H) in the order r, z, n; m = h[t-1] U_n + bias; a, da, behind (T, B, 3H) and U (H, 3H) likewise.
template <int R> __device__ void gru_steps(
    const real* a, const real* U, const real* bias, const real* h0, real* h, real* gates, real* m,
    whole T, whole B, int H, int kept) {
    Tile tile = {B, R};
    Matrix M = keep(U, kept, H, 3 * H);
    real *before = chip + kept * 3 * H, *after = before + H * R;      // (H, R): h[t-1], h[t]
    EVERY_UNIT EVERY_SEQUENCE before[j * R + r] = h0[tile.at(0, r, H) + j];
    __syncthreads();
    for (whole t = 0; t < T; t++) {
        EVERY_UNIT {
            real given[3][R], sums[3][R];
            for (int g = 0; g < 3; g++) EVERY_SEQUENCE given[g][r] = a[tile.at(t, r, 3 * H) + g * H + j];
            product<3, R>(before, M, H, j, sums);
            EVERY_SEQUENCE {
                real reset = sigmoid(given[0][r] + sums[0][r]), z = sigmoid(given[1][r] + sums[1][r]);
                real m_t = sums[2][r] + bias[j], n = tanh(given[2][r] + reset * m_t);
                whole place = tile.at(t, r, H) + j, gate = tile.at(3 * t, r, H) + j;
                gates[gate] = reset; gates[gate + B * H] = z; gates[gate + 2 * B * H] = n;
                m[place] = m_t;
                h[place] = after[j * R + r] = n + z * (before[j * R + r] - n);
            }
        }
        __syncthreads();
        swap(before, after);
    }
}

// `behind` is what the product h[t-1] U receives: da but for n, where the reset gate stands between the two.
template <int R> __device__ void gru_steps_backward(
    const real* dh, const real* h, const real* gates, const real* m, const real* U_back, const real* h0,
    const real* carry, real* da, real* behind, real* dh0, whole T, whole B, int H, int kept) {
    Tile tile = {B, R};
    Matrix M = keep(U_back, kept, 3 * H, H);
    real *later = chip + kept * H, *now = later + 3 * H * R, *direct = now + 3 * H * R;     // behind (3H, R); (H, R)
    EVERY_UNIT EVERY_SEQUENCE direct[j * R + r] = 0;
    __syncthreads();
    for (whole t = T - 1; t >= 0; t--) {
        EVERY_UNIT {
            real local[3][R], reset[R], keeps[R], above[R], total[1][R];
            EVERY_SEQUENCE {
                whole place = tile.at(t, r, H) + j, gate = tile.at(3 * t, r, H) + j;
                real z = gates[gate + B * H], n = gates[gate + 2 * B * H];
                real h_before = t ? h[place - B * H] : h0[tile.at(0, r, H) + j];
                above[r] = dh ? dh[place] : real(0);
                reset[r] = gates[gate];
                keeps[r] = z;
                local[0][r] = m[place] * reset[r] * (1 - reset[r]);           // ∂a_n[t]/∂a_r[t]
                local[1][r] = (h_before - n) * z * (1 - z);   // ∂h[t]/∂a[t] of z and n
                local[2][r] = (1 - z) * (1 - n * n);
            }
            arriving(t == T - 1, carry, later, M, tile, H, j, total);
            EVERY_SEQUENCE {
                real dh_t = total[0][r] + direct[j * R + r] + above[r], da_n = dh_t * local[2][r];
                real back[3] = {da_n * local[0][r], dh_t * local[1][r], da_n};
                for (int g = 0; g < 3; g++) {
                    whole to = tile.at(t, r, 3 * H) + g * H + j;
                    da[to] = back[g];
                    behind[to] = now[(g * H + j) * R + r] = g < 2 ? back[g] : da_n * reset[r];
                }
                direct[j * R + r] = dh_t * keeps[r];          // the direct way from h[t] to h[t-1]
            }
        }
        __syncthreads();
        swap(later, now);
    }
    EVERY_UNIT {
        real total[1][R];
        arriving(false, carry, later, M, tile, H, j, total);
        EVERY_SEQUENCE dh0[tile.at(0, r, H) + j] = total[0][r] + direct[j * R + r];
    }
}

// The compiler has to know R, to keep R sums in registers. sequences is 1, 2 or 4.
#define BY_TILE(steps, ...)                                                     \
    switch (sequences) {                                                    \
        case 1: steps<1>(__VA_ARGS__); break;                                   \
        case 2: steps<2>(__VA_ARGS__); break;                                   \
        default: steps<4>(__VA_ARGS__);                                         \
    }
#define SIZES whole T, whole B, int H, int kept, int sequences

extern "C" __global__ void __launch_bounds__(512) matrix_scan(
    SIZES, const real* a, const real* U, const real* h0, real* h, int activation) {
    BY_TILE(matrix_steps, a, U, h0, h, T, B, H, kept, activation)
}

extern "C" __global__ void __launch_bounds__(512) matrix_scan_backward(
    SIZES, const real* dh, const real* h, const real* U_back, const real* carry, real* da, real* dh0, int activation) {
    BY_TILE(matrix_steps_backward, dh, h, U_back, carry, da, dh0, T, B, H, kept, activation)
}

extern "C" __global__ void __launch_bounds__(512) lstm_scan(
    SIZES, const real* a, const real* U, const real* h0, const real* c0, real* h, real* c, real* gates, real* tanh_c) {
    BY_TILE(lstm_steps, a, U, h0, c0, h, c, gates, tanh_c, T, B, H, kept)
}

extern "C" __global__ void __launch_bounds__(512) lstm_scan_backward(
    SIZES, const real* dh, const real* c, const real* gates, const real* tanh_c, const real* U_back, const real* c0,
    const real* carry, const real* carry_c, real* da, real* dh0, real* dc0) {
    BY_TILE(lstm_steps_backward, dh, c, gates, tanh_c, U_back, c0, carry, carry_c, da, dh0, dc0, T, B, H, kept)
}

extern "C" __global__ void __launch_bounds__(512) gru_scan(
    SIZES, const real* a, const real* U, const real* bias, const real* h0, real* h, real* gates, real* m) {
    BY_TILE(gru_steps, a, U, bias, h0, h, gates, m, T, B, H, kept)
}

extern "C" __global__ void __launch_bounds__(512) gru_scan_backward(
    SIZES, const real* dh, const real* h, const real* gates, const real* m, const real* U_back, const real* h0,
    const real* carry, real* da, real* behind, real* dh0) {
    BY_TILE(gru_steps_backward, dh, h, gates, m, U_back, h0, carry, da, behind, dh0, T, B, H, kept)
}
