// Four workers send squares to the master, which adds them up and shuts down.
#include <ngx_ipc.hpp>
#include <atomic>
#include <cstdio>

struct square {
    ngx_uint_t number, value;
};

struct counters {
    std::atomic<int> started;
};

static ngx_ipc::shm<counters> *shared;

static void add(const square &s, const ngx_ipc_peer_t &sender)
{
    static ngx_uint_t sum, squares;

    std::printf("worker %d: %d\n", int(sender.worker), int(s.value));
    sum += s.value;

    if (++squares == 4) {
        std::printf("sum %d, workers %d\n", int(sum), (*shared)->started.load());
        std::fflush(stdout);
        raise(SIGQUIT);
    }
}

static ngx_ipc::message<square> squared("squares_square", add);

static ngx_int_t start(ngx_cycle_t *)
{
    square s{ngx_worker + 1, (ngx_worker + 1) * (ngx_worker + 1)};

    (*shared)->started++;
    return squared.send(NGX_IPC_TO_MASTER, s);
}

int main(int argc, char **argv)
{
    ngx_ipc::shm<counters> memory;
    ngx_ipc::program_module squares;
    ngx_ipc::configuration conf;

    shared = &memory;
    squares.init_process = start;
    conf.add(squares).worker_processes = 4;

    if (!memory || squared.register_type() != NGX_OK) {
        return 1;
    }
    return conf.run(argc, argv);
}
