import Netlink
import Testing

@Suite("Names of interfaces")
struct InterfaceNameTests {
    @Test(arguments: ["inside", "a", "fifteen-bytes-x", "eth0.100", "größe"])
    func `names that the kernel accepts`(_ name: String) {
        #expect(InterfaceName.problem(in: name) == nil)
    }

    @Test(arguments: ["", ".", "..", "sixteen-bytes-xx", "a b", "a/b", "a:b", "tab\t", "eth%d", "zero\0"])
    func `names that the kernel refuses`(_ name: String) {
        #expect(InterfaceName.problem(in: name) != nil)
    }
}
