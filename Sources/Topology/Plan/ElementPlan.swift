import Configuration
import Wire

/// The namespace of an in-line element, in which the kernel answers nothing, and the halves of its cable.
struct ElementPlan {
    let element: CableElement

    var namespace: Plan.Namespace {
        let id = NamespaceID.element(element.name)
        let preparation =
            [
                PlanStep(
                    namespace: id, action: .createNamespace,
                    reason: "the in-line element on the cable of \(element.name)")
            ]
            + IPv6Plan.off(in: id)
        let configuration = InLineElementConfiguration.portNames.map {
            PlanStep(namespace: id, action: .bringUp(interface: $0), reason: "the element reads and writes its frames")
        }
        return Plan.Namespace(id: id, preparation: preparation, configuration: configuration)
    }

    /// - Parameters:
    ///   - near: the end of the interface that names the cable
    ///   - far: the other end
    func links(near: PlannedLink.End, far: PlannedLink.End, mtu: Int, near nearMAC: MACAddress) -> [PlanStep] {
        func port(_ index: Int) -> PlannedLink.End {
            PlannedLink.End(
                namespace: .element(element.name), name: InLineElementConfiguration.portNames[index],
                mac: MACScheme.elementPort(index, of: nearMAC))
        }
        func step(_ a: PlannedLink.End, _ b: PlannedLink.End, _ half: String) -> PlanStep {
            PlanStep(
                namespace: a.namespace, action: .createLink(PlannedLink(a: a, b: b, mtu: mtu)),
                reason: "the \(half) half of the cable of \(element.name)")
        }
        return [step(near, port(0), "near"), step(port(1), far, "far")]
    }
}
