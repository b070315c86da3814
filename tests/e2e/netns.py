"""Networks in network namespaces: a client behind a router, and a public side behind it.

  client 10.77.1.2  2001:db8:1::2  --  router  --  public 198.51.100.10 (gaveld), .20 (relay), .30   2001:db8:2::10, ::20, ::30

The test has network, mount and process namespaces of its own (own_world), so that nothing of it is seen outside or left
behind, whatever happens. The public side can be reached at two names: media.test and relay.test. Needs root."""
import json
import os
import subprocess
import sys

CLIENT, ROUTER, PUBLIC = "client", "router", "public"
CLIENT_IP, CLIENT_IP6 = "10.77.1.2", "2001:db8:1::2"
MEDIA_IP, RELAY_IP, OTHER_IP = "198.51.100.10", "198.51.100.20", "198.51.100.30"
MEDIA_IP6, RELAY_IP6 = "2001:db8:2::10", "2001:db8:2::20"
HOSTS = "127.0.0.1 localhost\n::1 localhost\n%s media.test\n%s relay.test\n%s media6.test\n%s relay6.test\n%s relay46.test\n%s relay46.test\n" % (
    MEDIA_IP, RELAY_IP, MEDIA_IP6, RELAY_IP6, RELAY_IP6, RELAY_IP)


def own_world():
    """Starts the test anew in namespaces of its own; ends with 77 where the machine does not allow that."""
    if os.environ.get("GAVEL_NETNS") == "own":
        return
    if subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "true"], capture_output=True).returncode != 0:
        print("NOT TRIED: network namespaces need root, and a machine that allows them")
        sys.exit(77)
    args = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, *sys.argv]
    sys.exit(subprocess.run(args, env=dict(os.environ, GAVEL_NETNS="own")).returncode)


def run(*args, **how):
    r = subprocess.run(args, capture_output=True, text=True, **how)
    if r.returncode != 0:
        raise AssertionError("%s: %s" % (" ".join(args), r.stdout + r.stderr))
    return r.stdout


def inside(name):
    """What to put before a command so that it runs in that namespace."""
    return ["nsenter", "--net=/run/netns/" + name]


def ip(name, *args):
    run("ip", "-n", name, *args)


def sysctl(name, key, value):
    run(*inside(name), "sh", "-c", "echo %s > /proc/sys/net/%s" % (value, key))


def cable(a, a_name, b, b_name):
    run("ip", "link", "add", a_name, "netns", a, "type", "veth", "peer", "name", b_name, "netns", b)
    ip(a, "link", "set", a_name, "up")
    ip(b, "link", "set", b_name, "up")


def address(name, device, *addresses):
    for a in addresses:
        ip(name, "addr", "add", a, "dev", device, *(["nodad"] if ":" in a else []))


class Net:
    """One network; `v4`, `v6`: what the client has."""

    def __init__(self, folder, v4=True, v6=False):
        hosts = os.path.join(folder, "hosts")
        with open(hosts, "w") as f:
            f.write(HOSTS)
        os.makedirs("/run/netns", exist_ok=True)
        run("mount", "-t", "tmpfs", "none", "/run/netns")
        run("mount", "--bind", hosts, "/etc/hosts")
        for name in (CLIENT, ROUTER, PUBLIC):
            run("ip", "netns", "add", name)
            ip(name, "link", "set", "lo", "up")
        cable(CLIENT, "eth0", ROUTER, "inner")
        cable(ROUTER, "outer", PUBLIC, "eth0")
        address(PUBLIC, "eth0", MEDIA_IP + "/24", RELAY_IP + "/24", OTHER_IP + "/24", MEDIA_IP6 + "/64", RELAY_IP6 + "/64")
        address(ROUTER, "inner", "10.77.1.1/24", "2001:db8:1::1/64")
        address(ROUTER, "outer", "198.51.100.1/24", "2001:db8:2::1/64")
        ip(PUBLIC, "route", "add", "10.77.1.0/24", "via", "198.51.100.1")
        ip(PUBLIC, "-6", "route", "add", "2001:db8:1::/64", "via", "2001:db8:2::1")
        sysctl(ROUTER, "ipv4/ip_forward", 1)
        sysctl(ROUTER, "ipv6/conf/all/forwarding", 1)
        self.client(v4, v6)

    def client(self, v4, v6):
        """The addresses the client has from now on."""
        ip(CLIENT, "addr", "flush", "dev", "eth0", "scope", "global")
        if v4:
            address(CLIENT, "eth0", CLIENT_IP + "/24")
            ip(CLIENT, "route", "replace", "default", "via", "10.77.1.1")
        if v6:
            address(CLIENT, "eth0", CLIENT_IP6 + "/64")
            ip(CLIENT, "-6", "route", "replace", "default", "via", "2001:db8:1::1")

    def rules(self, name, text):
        """These nft rules, and no others, in that namespace; connections that are known are forgotten."""
        run(*inside(name), "nft", "-f", "-", input="flush ruleset\n" + text + "\n")

    def wall(self, *allowed):
        """The router lets only that through from the client, and what answers it; the rest is dropped without a word."""
        lines = "\n".join("    %s accept" % a for a in allowed)
        self.rules(ROUTER, """table inet wall {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "outer" oifname "outer" accept
    meta l4proto ipv6-icmp accept
%s
  }
}""" % lines)

    def open(self):
        self.rules(ROUTER, "")

    def nat(self, kind):
        """full: everything that comes to the router's port goes to the client; restricted: what comes from an address
        the client has written to; port: ... and port; symmetric: besides, another port for each of these."""
        inbound = {"full": 'iifname "outer" meta l4proto udp dnat to %s' % CLIENT_IP,
                   "restricted": 'iifname "outer" ip saddr @written meta l4proto udp dnat to %s' % CLIENT_IP}.get(kind, "")
        self.rules(ROUTER, """table ip nat {
  set written { type ipv4_addr; flags dynamic, timeout; timeout 1m; }
  chain note { type filter hook forward priority 0; iifname "inner" meta l4proto udp add @written { ip daddr }; }
  chain in { type nat hook prerouting priority dstnat; %s; }
  chain out { type nat hook postrouting priority srcnat; oifname "outer" masquerade %s; }
  chain stray { type filter hook forward priority 1; iifname "outer" ct state new ct status != dnat drop; }
}""" % (inbound, "fully-random" if kind == "symmetric" else ""))

    def narrow(self, mtu):
        """The path carries no datagram above mtu: fragments are lost, and nobody is told."""
        ip(ROUTER, "link", "set", "outer", "mtu", str(mtu))
        self.rules(ROUTER, """table inet narrow {
  chain clamp { type filter hook forward priority 0; tcp flags syn tcp option maxseg size set %d; }
  chain mute { type filter hook output priority 0; meta l4proto { icmp, ipv6-icmp } drop; }
}""" % (mtu - 60))
        for name in (CLIENT, PUBLIC):
            run(*inside(name), "nft", "-f", "-", input="""table ip narrow {
  chain in { type filter hook prerouting priority -450; ip frag-off & 0x3fff != 0 drop; meta length > %d meta l4proto udp drop; }
}
""" % mtu)

    def wide(self):
        ip(ROUTER, "link", "set", "outer", "mtu", "1500")
        for name in (CLIENT, ROUTER):
            self.rules(name, "")
        run(*inside(PUBLIC), "nft", "delete", "table", "ip", "narrow")


def packets(name, device="eth0"):
    """How many datagrams that device has sent."""
    return json.loads(run("ip", "-n", name, "-s", "-j", "link", "show", device))[0]["stats64"]["tx"]["packets"]
