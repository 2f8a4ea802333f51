/// How an answer's body is delimited towards the client.
enum AnswerFraming: Hashable {
    case none
    case length
    case chunked
    case untilClose
}
