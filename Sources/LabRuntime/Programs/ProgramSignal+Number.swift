internal import Glibc
internal import Topology

extension ProgramSignal {
    var number: Int32 {
        switch self {
        case .HUP: SIGHUP
        case .INT: SIGINT
        case .QUIT: SIGQUIT
        case .USR1: SIGUSR1
        case .USR2: SIGUSR2
        case .TERM: SIGTERM
        case .KILL: SIGKILL
        case .STOP: SIGSTOP
        case .CONT: SIGCONT
        case .WINCH: SIGWINCH
        case .ALRM: SIGALRM
        }
    }
}
