import Dataplane
import LabTime
import Mutants
import Redundancy
import Wire

extension Firewall {
    /// Carries out what the election has decided, in its order.
    mutating func carryOut(at now: Instant, into output: inout FrameQueue) {
        guard redundancy != nil else { return }
        for action in election.takeActions() {
            switch action {
            case .stopForwarding(let handingOver): stopForwarding(handingOver: handingOver, at: now, into: &output)
            case .startForwarding: startForwarding(at: now, into: &output)
            case .advertise(let router, let priority):
                sendAdvertisement(router: router, priority: priority, into: &output)
            case .announceAddresses:
                becameActiveAt = now
                announcements = 0
                announceAddresses(at: now, into: &output)
            case .send(let statement):
                sendToPeer(channel.heartbeat(statement, sessions: filter.count), at: now, into: &output)
                tally.heartbeatsSent &+= 1
            case .peerAppeared(let restarted):
                channel.restart(for: election.monitor?.statement?.epoch ?? 0, at: now)
                journal.discardRecords()
                journal.endOwnResync()
                journal.confirmAll()
                if isForwarding {
                    let tellsAll = rules.contains(.tellsEverything) && !Mutant.isOn(.noBulkTransfer)
                    if tellsAll { beginTelling() } else { continueTelling() }
                } else if hasPendingSync || restarted && election.knowsSessions {
                    // A rival, or a peer that started anew and took the role where it could not hear of them.
                    tellOwnSessions()
                }
            case .peerLost:
                channel.stop()
                journal.endRecording()
                journal.discardRecords()
                endDeferral(at: now, into: &output)
            case .report(let kind, let details):
                report(kind, at: now, details)
            }
        }
    }

    /// Every session is told, and every one that is opened from now on.
    private mutating func beginTelling() {
        journal.beginRecording()
        tellNewSessions()
    }

    private mutating func continueTelling() {
        journal.continueRecording()
        tellNewSessions()
    }

    private mutating func tellNewSessions() {
        if !rules.contains(.notesSessions) || Mutant.isOn(.noSessionSync) { journal.endRecording() }
        if redundancy?.deferral != nil { journal.isDeferring = true }
    }

    private mutating func startForwarding(at now: Instant, into output: inout FrameQueue) {
        guard let redundancy else { return }
        if rules.contains(.commitsFirst) {
            tally.recordsApplied &+= UInt64(channel.commit(into: &filter, &journal, at: now))
        }
        isForwarding = true
        hasPendingSync = false
        journal.beginTerm()
        for router in redundancy.routers {
            ports[router.port].sourceMAC = Mutant.isOn(.sendsFromOwnMAC) ? ports[router.port].mac : router.mac
            for address in router.addresses { ports.own(address, on: router.port, answering: router.mac) }
        }
        ownPoolAddresses()
        guard election.receivesHeartbeat else { return }
        // A predecessor that handed over has what this box has; a peer that just started has nothing.
        if election.monitor?.statement?.flags.contains(.knowsSessions) == true {
            continueTelling()
        } else {
            beginTelling()
        }
    }

    private mutating func stopForwarding(handingOver: Bool, at now: Instant, into output: inout FrameQueue) {
        guard let redundancy else { return }
        isForwarding = false
        announceAt = nil
        for router in redundancy.routers {
            ports[router.port].sourceMAC = ports[router.port].mac
            for address in router.addresses { ports.removeAddress(address, on: router.port) }
        }
        removePoolAddresses()
        journal.endRecording()
        endDeferral(at: now, into: &output)
        if handingOver {
            // The successor hears of the last changes before it hears of its role.
            flush(isUrgent: true, at: now, into: &output)
        } else {
            // The rival that stays Active learns of the sessions that passed here alone.
            journal.discardRecords()
            hasPendingSync = true
            if election.receivesHeartbeat { tellOwnSessions() }
        }
    }

    private mutating func tellOwnSessions() {
        hasPendingSync = false
        journal.beginOwnResync()
    }

    mutating func announceAddresses(at now: Instant, into output: inout FrameQueue) {
        guard let redundancy, isForwarding else {
            announceAt = nil
            return
        }
        for router in redundancy.routers {
            for address in router.addresses {
                ports.announce(address, at: router.mac, on: router.port, into: &output)
                tally.announcementsSent &+= 1
            }
        }
        announcePoolAddresses(into: &output)
        announcements += 1
        announceAt =
            announcements < redundancy.announcementTimes.count
            ? becameActiveAt + redundancy.announcementTimes[announcements] : nil
    }
}
