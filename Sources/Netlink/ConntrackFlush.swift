internal import CNetlink
internal import Glibc

extension NetlinkSocket {
    /// Has the kernel forget every connection that it tracks in a namespace. Each lost NAT mapping is lost for good.
    ///
    /// Equals `conntrack -F`
    public static func flushConntrack(in namespace: Int32) throws(NetlinkError) {
        let opened = try open(in: namespace, bus: NETLINK_NETFILTER)
        var socket = NetlinkSocket(opened, options: .extendedAcknowledgement)
        try socket.perform(.flushConntrack)
    }
}

extension NetlinkRequest {
    /// `nfgenmsg`: family (1), version (1), resource (2); without a tuple behind it every entry is deleted.
    /// Source: linux/netfilter/nfnetlink.h, nfnetlink_conntrack.h
    static var flushConntrack: NetlinkRequest {
        // NFNL_SUBSYS_CTNETLINK is 1, IPCTNL_MSG_CT_DELETE is 2.
        var message = MessageBuilder(type: 1 << 8 | 2)
        message.putStructure(UInt32(0))
        return message.finish(verb: "flush the connections that are tracked", interface: nil)
    }
}
