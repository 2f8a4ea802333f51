enum FaultKinds {
    /// One line a kind of fault, in the order in which messages list them.
    static let table: [any FaultKind.Type] = [
        SwitchoverFault.self,
        PowerOffFault.self,
        PowerOnFault.self,
        LinkDownFault.self,
        LinkUpFault.self,
        HangFault.self,
        ResumeFault.self,
        KillFault.self,
        StartFault.self,
        ArmFault.self,
        DisarmFault.self,
        ReleaseFault.self,
        WeightFault.self,
    ]
}
