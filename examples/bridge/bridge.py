#!/usr/bin/env python3
"""bridge.py PORT NGINX GROUP [REDIS]: gives messages to the nginx of several machines.

A client sends a message to http://127.0.0.1:PORT/, with a Message-Id of its own or none.
The answer is 200 when the message is in a stream of Redis.  On each machine a bridge, with a
GROUP of its own, reads the stream and sends each message to the location NGINX with
ipc_publish, such as http://127.0.0.1/publish, until all workers of this nginx have taken it.

If a bridge, an nginx or a connection fails, a message is late, at most by DAY, and is not
lost.  It can come twice then, as {"id": ID, "text": TEXT}: a client ignores an ID that it
has seen.  A message that is too large for nginx is dropped, and a line says so.
"""

import http.server, json, sys, threading, time, urllib.error, urllib.request, uuid

try:
    import redis
except ImportError:
    sys.exit("bridge.py: there is no module redis: install Debian's package python3-redis")

STREAM, DAY = "messages", 24 * 3600


class Take(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
        fields = {"id": self.headers["Message-Id"] or str(uuid.uuid4()), "text": text}
        try:
            broker.xadd(STREAM, fields, minid=int(1000 * (time.time() - DAY)))
            self.send_response(200)
        except redis.RedisError as err:
            self.send_response(503, str(err))
        self.end_headers()


def has_given(fields):
    try:
        urllib.request.urlopen(nginx, json.dumps(fields).encode(), timeout=10)
        return True
    except urllib.error.HTTPError as err:
        print("not taken by all workers:", err, file=sys.stderr)
        return err.code == 413  # nginx never takes it: the next ones must not wait
    except OSError as err:
        print("not taken by all workers:", err, file=sys.stderr)


def give(last):
    """Gives the messages after the entry LAST; returns the last entry, or ">"."""
    for _, entries in broker.xreadgroup(group, "bridge", {STREAM: last}, 100, block=1000):
        for entry, fields in entries:
            seen = f"{STREAM} {group} {fields['id']}"
            while not broker.exists(seen) and not has_given(fields):
                time.sleep(1)
            broker.pipeline().set(seen, 1, DAY).xack(STREAM, group, entry).execute()
        if last != ">" and entries:
            return entries[-1][0]
    return ">"


if len(sys.argv) not in (4, 5):
    sys.exit("usage: " + __doc__.split(":")[0])
port, nginx, group, *address = sys.argv[1:]
broker = redis.Redis.from_url(*address or ["redis://127.0.0.1"], decode_responses=True)
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Take)
threading.Thread(target=server.serve_forever, daemon=True).start()
last = "0"  # first, what this bridge has read and not acknowledged
while True:
    try:
        last = give(last)
    except redis.RedisError as err:
        if "NOGROUP" in str(err):
            broker.xgroup_create(STREAM, group, id="0", mkstream=True)
        else:
            print("no broker:", err, file=sys.stderr)
            time.sleep(1)
            last = "0"
