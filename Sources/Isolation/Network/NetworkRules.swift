internal import SoulBoxModel

/// The rules of an instance's table in the packet filter.
///
/// They never change while the service runs: what one sandbox may reach are elements of sets, so that adding the
/// thousandth costs as much as adding the first. Every packet of a sandbox is judged, not only the first of a connection:
/// a place that is taken off the list is out of reach at once.
struct NetworkRules {
    let instance: String
    let settings: NetworkSettings

    /// The table's name, in the family `inet`.
    var table: String { "soulbox_\(instance)" }

    private var links: String { "\"\(NetworkAddresses.prefix(of: instance))*\"" }
    private var gateway: String { NetworkAddresses.text(NetworkAddresses.gateway) }

    /// Commands that put the whole table in place of what is there; elements can be added behind them.
    var text: String {
        """
        add table inet \(table)
        delete table inet \(table)
        table inet \(table) {
        \(sets)
        \(arrival)
        \(passage)
        \(host)
        }

        """
    }

    private var sets: String {
        """
        # Who a packet is from: link and source address together give the mark of a sandbox's policy.
        map marks { type ifname . ipv4_addr : mark; }
        # Where soulbox-egress listens for what is sent to these ports.
        map ports { type inet_service : inet_service; }
        # Policies that reach everything public.
        set open { type mark; }
        # What policies name by address.
        set ranges { type mark . ipv4_addr; flags interval; }
        set range_ports { type mark . ipv4_addr . inet_service; flags interval; }
        # What the names of policies mean now, as soulbox-egress has found out.
        set names { type mark . ipv4_addr; flags timeout; size 262144; }
        set name_ports { type mark . ipv4_addr . inet_service; flags timeout; size 262144; }
        set denied { type ipv4_addr; flags interval; elements = { \(denied) } }
        # Whom soulbox-egress asks, public or private.
        set resolvers { type ipv4_addr; }
        # Links of the host that forward only because sandboxes need it.
        set guarded { type ifname; }
        set refused { type mark; size 65536; flags dynamic; }
        set flows { type mark; size 65536; flags dynamic; }
        set openings { type mark; size 65536; flags dynamic; }
        set questions { type mark; size 65536; flags dynamic; }
        set sent { type mark; size 65536; flags dynamic; }
        set received { type mark; size 65536; flags dynamic; }
        """
    }

    private var denied: String {
        AddressSpans(AddressRange.neverReachable).texts.joined(separator: ", ")
    }

    /// Before routing: who it is from, what it may open, and what soulbox-egress takes over.
    private var arrival: String {
        """
        chain arrive {
            type filter hook prerouting priority mangle; policy accept;
            iifname \(links) jump identify
        }
        chain identify {
            meta nfproto != ipv4 drop
            meta mark set 0
            meta mark set iifname . ip saddr map @marks
            # A source address that is not the link's own, or a link without a policy.
            meta mark 0 drop
            update @sent { meta mark limit rate over \(settings.bytesPerSecond) bytes/second burst \(burst) bytes } jump refuse
            # The mark of the policy that let it begin: by it the connections of a policy are forgotten.
            ct mark 0 ct mark set meta mark
            # Questions have a limit of their own, and leave more behind in the table of connections than they are.
            ip daddr \(gateway) return
            ct state new add @flows { meta mark ct count over \(settings.connections) } jump refuse
            ct state new update @openings { meta mark limit rate over \(settings.newConnectionsPerSecond)/second burst \(settings.newConnectionsPerSecond * 2) packets } jump refuse
        }
        chain divert {
            type nat hook prerouting priority dstnat; policy accept;
            iifname \(links) jump take_over
        }
        chain take_over {
            ip daddr \(gateway) udp dport 53 redirect to :udp dport map @ports
            ip daddr \(gateway) tcp dport 53 redirect to :tcp dport map @ports
            ip daddr @denied accept
            meta mark @open accept
            meta mark . ip daddr @ranges accept
            meta l4proto { tcp, udp } meta mark . ip daddr . th dport @range_ports accept
            tcp dport { 80, 443 } meta mark . ip daddr @names redirect to :tcp dport map @ports
            tcp dport { 80, 443 } meta mark . ip daddr . tcp dport @name_ports redirect to :tcp dport map @ports
        }
        chain translate {
            type nat hook postrouting priority srcnat; policy accept;
            ip saddr \(NetworkAddresses.range) ip daddr != \(NetworkAddresses.range) masquerade
        }
        """
    }

    private var burst: Int { max(settings.bytesPerSecond / 4, 1 << 20) }

    /// Between links: what sandboxes may reach, and that nothing reaches them but answers.
    private var passage: String {
        """
        chain forward {
            type filter hook forward priority filter; policy accept;
            iifname \(links) jump outgoing
            oifname \(links) jump incoming
            oifname "sb*" accept
            iifname @guarded drop
        }
        chain outgoing {
            oifname "sb*" jump refuse
            # What is never reached comes before what is allowed.
            ip daddr @denied jump refuse
            fib daddr type != unicast jump refuse
            meta mark @open accept
            meta mark . ip daddr @ranges accept
            meta l4proto { tcp, udp } meta mark . ip daddr . th dport @range_ports accept
            # To these ports a name is reached through soulbox-egress alone, which asks for whom the connection is.
            tcp dport { 80, 443 } jump refuse
            meta l4proto tcp meta mark . ip daddr @names accept
            meta l4proto tcp meta mark . ip daddr . tcp dport @name_ports accept
            jump refuse
        }
        chain incoming {
            update @received { ct mark limit rate over \(settings.bytesPerSecond) bytes/second burst \(burst) bytes } drop
            ct state established,related ct direction reply accept
            ct state related accept
            drop
        }
        # A program learns at once that it may not go there, as long as it does not flood.
        chain refuse {
            update @refused { meta mark counter }
            # One that was allowed before ends at once.
            ct state established meta l4proto tcp reject with tcp reset
            limit rate 100/second burst 100 packets reject with icmpx admin-prohibited
            drop
        }
        """
    }

    /// The host itself: sandboxes reach soulbox-egress and nothing else, and soulbox-egress nothing private.
    private var host: String {
        """
        chain input {
            type filter hook input priority filter; policy accept;
            iifname \(links) jump visit
            # The gateway's address is the sandboxes' alone, whichever way a packet came.
            ip daddr \(gateway) iifname != "sb*" drop
        }
        chain visit {
            # Only what was taken over on its way; the ports themselves are not to be had.
            ct status dnat meta l4proto udp jump question
            ct status dnat meta l4proto { tcp, udp } accept
            update @refused { meta mark counter } drop
        }
        chain question {
            update @questions { meta mark limit rate over 200/second burst 400 packets } drop
        }
        chain output {
            type filter hook output priority filter; policy accept;
            meta skuid \(settings.egressUser) jump egress
        }
        chain egress {
            ct direction reply accept
            meta l4proto { tcp, udp } ip daddr @resolvers th dport 53 accept
            meta nfproto != ipv4 drop
            ip daddr @denied reject with icmpx admin-prohibited
            fib daddr type != unicast drop
            meta l4proto tcp accept
            drop
        }
        """
    }
}
