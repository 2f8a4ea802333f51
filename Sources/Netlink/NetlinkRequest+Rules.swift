internal import CNetlink
internal import Glibc
internal import Wire

extension NetlinkRequest {
    /// Equals `ip rule add preference N [from NETWORK] [to NETWORK] [iif NAME] table TABLE`
    public static func addRule(_ rule: RoutingRule) -> NetlinkRequest {
        var message = MessageBuilder(type: RTM_NEWRULE, flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL)
        var header = header(table: rule.table)
        header.rtm_src_len = UInt8(clamping: rule.from?.prefixLength ?? 0)
        header.rtm_dst_len = UInt8(clamping: rule.to?.prefixLength ?? 0)
        message.putStructure(header)
        message.put(FRA_PRIORITY, u32: rule.preference)
        message.put(FRA_TABLE, u32: rule.table)
        if let from = rule.from { message.put(FRA_SRC, bytes: NetworkAddress.ipv4(from.address).bytes) }
        if let to = rule.to { message.put(FRA_DST, bytes: NetworkAddress.ipv4(to.address).bytes) }
        if let input = rule.input { message.put(FRA_IIFNAME, name: input) }
        return message.finish(verb: "add rule \(rule.preference)", interface: rule.input)
    }

    /// Deletes the first IPv4 rule of a preference, the kernel's own included.
    ///
    /// Equals `ip rule del preference N`
    public static func deleteRule(preference: UInt32) -> NetlinkRequest {
        var message = MessageBuilder(type: RTM_DELRULE)
        message.putStructure(header(table: 0))
        message.put(FRA_PRIORITY, u32: preference)
        return message.finish(verb: "delete rule \(preference)", interface: nil)
    }

    /// `fib_rule_hdr` has the layout of `rtmsg`, with the action in the place of the route's type.
    private static func header(table: UInt32) -> rtmsg {
        var header = rtmsg()
        header.rtm_family = UInt8(AF_INET)
        header.rtm_table = UInt8(clamping: table)
        header.rtm_type = table == 0 ? 0 : UInt8(FR_ACT_TO_TBL)
        return header
    }
}
