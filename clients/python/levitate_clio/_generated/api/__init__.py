"""The operations, grouped as in the document."""

from levitate_clio._call import AsyncSender, Sender

from .accounts import AccountsOperations, AsyncAccountsOperations
from .activities import ActivitiesOperations, AsyncActivitiesOperations
from .changes import AsyncChangesOperations, ChangesOperations
from .connections import AsyncConnectionsOperations, ConnectionsOperations
from .console import AsyncConsoleOperations, ConsoleOperations
from .contacts import AsyncContactsOperations, ContactsOperations
from .events import AsyncEventsOperations, EventsOperations
from .issues import AsyncIssuesOperations, IssuesOperations
from .new_clients import AsyncNewClientsOperations, NewClientsOperations
from .operations import AsyncOperationsOperations, OperationsOperations
from .runs import AsyncRunsOperations, RunsOperations
from .settings import AsyncSettingsOperations, SettingsOperations


class Api:
    """All operations, by group."""

    def __init__(self, sender: Sender) -> None:
        self.accounts = AccountsOperations(sender)
        self.connections = ConnectionsOperations(sender)
        self.console = ConsoleOperations(sender)
        self.settings = SettingsOperations(sender)
        self.runs = RunsOperations(sender)
        self.contacts = ContactsOperations(sender)
        self.new_clients = NewClientsOperations(sender)
        self.changes = ChangesOperations(sender)
        self.activities = ActivitiesOperations(sender)
        self.issues = IssuesOperations(sender)
        self.operations = OperationsOperations(sender)
        self.events = EventsOperations(sender)


class AsyncApi:
    """All operations, by group."""

    def __init__(self, sender: AsyncSender) -> None:
        self.accounts = AsyncAccountsOperations(sender)
        self.connections = AsyncConnectionsOperations(sender)
        self.console = AsyncConsoleOperations(sender)
        self.settings = AsyncSettingsOperations(sender)
        self.runs = AsyncRunsOperations(sender)
        self.contacts = AsyncContactsOperations(sender)
        self.new_clients = AsyncNewClientsOperations(sender)
        self.changes = AsyncChangesOperations(sender)
        self.activities = AsyncActivitiesOperations(sender)
        self.issues = AsyncIssuesOperations(sender)
        self.operations = AsyncOperationsOperations(sender)
        self.events = AsyncEventsOperations(sender)
