/** The events, by type. docs/events.md of the service says what each one means. */

interface Base<Type extends string, Data> {
  /** The id of the event, the same at each delivery: handle each id once. */
  id: string;
  type: Type;
  /** When it happened (RFC 3339, UTC). */
  timestamp: string;
  data: Data;
}

export type ClientNew = Base<
  "client.new",
  {
    account_id: string;
    contact_id: string;
    clio_id: string;
    new_client_id: string;
    origin: string;
    basis: string;
    client_since: string | null;
    has_open_matter: boolean;
    owner_user_id: string | null;
    possible_duplicate_of: string | null;
  }
>;
export type ContactsChanged = Base<"contacts.changed", { account_id: string; run_id: string; cursor: string }>;
export type RunFinished = Base<"run.finished", { account_id: string; run_id: string; kind: string; status: string }>;
export type ConnectionConnected = Base<
  "connection.connected",
  { account_id: string; connection_id: string; run_id: string }
>;
export type ConnectionNeedsReconnect = Base<
  "connection.needs_reconnect",
  { account_id: string; connection_id: string; user_id: string; connected_at: string | null }
>;
export type ActivityWritten = Base<"activity.written", ActivityData>;
export type ActivityFailed = Base<"activity.failed", ActivityData>;
export type IssueOpened = Base<"issue.opened", IssueData>;
export type IssueResolved = Base<"issue.resolved", IssueData>;
/** The event of a test of the endpoint. */
export type Ping = Base<"ping", { endpoint_id: string }>;

type ActivityData = {
  account_id: string;
  activity_id: string;
  attempts: number;
  /** When the activity ended in the same status again, without another attempt to write it. */
  again_at?: string;
};

type IssueData = {
  account_id: string;
  issue_id: string;
  code: string;
};

export type KnownEvent =
  | ClientNew
  | ContactsChanged
  | RunFinished
  | ConnectionConnected
  | ConnectionNeedsReconnect
  | ActivityWritten
  | ActivityFailed
  | IssueOpened
  | IssueResolved
  | Ping;

/** Any event. Its type can be one that this version does not know; `isEvent` tells. */
export type WebhookEvent = Base<string, Record<string, unknown>>;
