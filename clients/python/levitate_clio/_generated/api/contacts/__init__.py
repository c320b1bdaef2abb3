"""The operations of the group `contacts`: one class for `Clio`, one for `AsyncClio`."""

import datetime

from levitate_clio._call import AsyncSender, Sender

from ...models.change_page import ChangePage
from ...models.clio_contact_page import ClioContactPage
from ...models.contact import Contact
from ...models.contact_page import ContactPage
from ...models.contacts_summary import ContactsSummary
from ...models.explained import Explained
from ...models.explained_clio_contact import ExplainedClioContact
from ...models.export import Export
from ...models.get_contact_history_order import GetContactHistoryOrder
from ...models.list_contacts_order import ListContactsOrder
from ...models.list_contacts_problem import ListContactsProblem
from ...models.list_contacts_state import ListContactsState
from ...models.preexisting import Preexisting
from ...models.preexisting_in import PreexistingIn
from ...types import UNSET, Unset
from . import delete_contact as _delete_contact
from . import explain_clio_contact as _explain_clio_contact
from . import explain_contact as _explain_contact
from . import export_contact as _export_contact
from . import get_contact as _get_contact
from . import get_contact_history as _get_contact_history
from . import list_clio_contacts as _list_clio_contacts
from . import list_contacts as _list_contacts
from . import record_preexisting_tags as _record_preexisting_tags
from . import summarize_contacts as _summarize_contacts


class ContactsOperations:
    """The operations of the group `contacts`."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list_contacts(
        self,
        account_id: str,
        *,
        state: ListContactsState | Unset = UNSET,
        owner: str | Unset = UNSET,
        tag: list[str] | Unset = UNSET,
        clio_id: str | Unset = UNSET,
        q: str | Unset = UNSET,
        updated_since: datetime.datetime | Unset = UNSET,
        problem: ListContactsProblem | Unset = UNSET,
        order: ListContactsOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> ContactPage:
        """Return the contacts, in all states unless `state` is given, sorted by id unless `order` is
        given.

        Args:
            account_id: Levitate's id of the account.
            state: Only contacts in this state.
            owner: Only contacts of this owner: Levitate's id of the user. `none`: only contacts
                without an owner.
            tag: Only contacts with this tag. Case and extra spaces do not matter. If it is sent
                several times, a contact must have all of these tags.
            clio_id: Only the contact with this id in Clio.
            q: Only contacts who have, for each word of this text, a word that begins with it: of
                the names, the company's name, an email address or its domain, or the digits of a
                phone number. Four digits or more also find the end of a number, and a whole number
                the id in Clio. Case does not matter. Of more than eight words the longest count.
            updated_since: Only contacts whose last change is at this time or later.
            problem: Only contacts with this problem. `no_email`: they have no email address.
                `duplicate`: when they became clients, they looked like another client.
                `quarantined`: Clio's record cannot be read, so what is shown may be older.
            order: `newest` or `oldest` first, by `first_synced_at`. Without it the list is sorted by
                id.
            since: Only contacts whose `first_synced_at` is this time or later.
            until: Only contacts whose `first_synced_at` is before this time.
            count: Add `total`: how many items all pages of this list have together.
            cursor: `next_cursor` of the previous page, with the same filters. Leave it out for the
                first page.
            limit: The maximum number of items, 1 to 200.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _list_contacts.build(
                account_id=account_id,
                state=state,
                owner=owner,
                tag=tag,
                clio_id=clio_id,
                q=q,
                updated_since=updated_since,
                problem=problem,
                order=order,
                since=since,
                until=until,
                count=count,
                cursor=cursor,
                limit=limit,
            )
        )

    def explain_contact(
        self,
        account_id: str,
        contact_id: str,
    ) -> Explained:
        """Explain why the contact is in or out of scope, why it has each tag and its owner, and who
        sees it in Clio.

        Args:
            account_id: Levitate's id of the account.
            contact_id: Our id of the contact (`con_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _explain_contact.build(
                account_id=account_id,
                contact_id=contact_id,
            )
        )

    def record_preexisting_tags(
        self,
        account_id: str,
        contact_id: str,
        *,
        body: PreexistingIn,
    ) -> Preexisting:
        """Store the labels that the contact had before this service granted them. They are never
        removed.

        The response has all labels that are stored for the contact.

        Args:
            account_id: Levitate's id of the account.
            contact_id: Our id of the contact (`con_…`).
            body: Labels that the contact already had in Levitate before this service granted them.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _record_preexisting_tags.build(
                account_id=account_id,
                contact_id=contact_id,
                body=body,
            )
        )

    def get_contact(
        self,
        account_id: str,
        contact_id: str,
        *,
        as_of: datetime.datetime | Unset = UNSET,
    ) -> Contact:
        """Return one contact with all fields as Levitate should store them; use it to repair a damaged
        copy.

        With `as_of` the contact is returned as it was at that time.

        Args:
            account_id: Levitate's id of the account.
            contact_id: Our id of the contact (`con_…`).
            as_of: Return the contact as it was at this time (RFC 3339 with an offset).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _get_contact.build(
                account_id=account_id,
                contact_id=contact_id,
                as_of=as_of,
            )
        )

    def delete_contact(
        self,
        account_id: str,
        contact_id: str,
    ) -> None:
        """Erase one person: profile, history, activities and new-client row. The person is never
        synced again.

        The change feed gets one last line for the contact, `contact.erased`. The header `Location`
        has the address of the erasure's receipt.

        Args:
            account_id: Levitate's id of the account.
            contact_id: Our id of the contact (`con_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _delete_contact.build(
                account_id=account_id,
                contact_id=contact_id,
            )
        )

    def summarize_contacts(
        self,
        account_id: str,
    ) -> ContactsSummary:
        """Return how many contacts there are in each state, with each tag, and of each owner.

        The contacts are counted in steps, so one that changes meanwhile may be counted as it was
        before.

        Args:
            account_id: Levitate's id of the account.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _summarize_contacts.build(
                account_id=account_id,
            )
        )

    def get_contact_history(
        self,
        account_id: str,
        contact_id: str,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: GetContactHistoryOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
    ) -> ChangePage:
        """Return every change of one contact: the values before and after, the cause and the run.
        Their time is `at`.

        Args:
            account_id: Levitate's id of the account.
            contact_id: Our id of the contact (`con_…`).
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.
            order: `newest` or `oldest` first, by the time of the items. Without it the list is sorted
                by id.
            since: Only items of this time or later (RFC 3339 with an offset).
            until: Only items before this time (RFC 3339 with an offset).
            count: Add `total`: how many items all pages of this list have together.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _get_contact_history.build(
                account_id=account_id,
                contact_id=contact_id,
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
            )
        )

    def export_contact(
        self,
        account_id: str,
        contact_id: str,
    ) -> Export:
        """Return everything that is held about one person, as the rows of each table. The export is
        audited.

        Args:
            account_id: Levitate's id of the account.
            contact_id: Our id of the contact (`con_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _export_contact.build(
                account_id=account_id,
                contact_id=contact_id,
            )
        )

    def list_clio_contacts(
        self,
        account_id: str,
        *,
        q: str | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> ClioContactPage:
        """Search Clio's contacts that a login has shown, whether they are in Levitate or not, by
        Clio's id.

        Args:
            account_id: Levitate's id of the account.
            q: Only contacts who match this text, as in the list of contacts.
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _list_clio_contacts.build(
                account_id=account_id,
                q=q,
                cursor=cursor,
                limit=limit,
            )
        )

    def explain_clio_contact(
        self,
        account_id: str,
        clio_id: str,
        *,
        look: bool | Unset = UNSET,
    ) -> ExplainedClioContact:
        """Explain why a contact of Clio is in Levitate or not, and what would bring it there.

        The rules decide again, by the records that were pulled and the present settings. With
        `look=true` a run asks Clio for a contact that no login has shown. The response is 404 then,
        too, and names the run.

        Args:
            account_id: Levitate's id of the account.
            clio_id: Clio's id of the contact.
            look: If no login has shown the contact, let the logins ask Clio for it.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return self._sender.call(
            _explain_clio_contact.build(
                account_id=account_id,
                clio_id=clio_id,
                look=look,
            )
        )


class AsyncContactsOperations:
    """The operations of the group `contacts`."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list_contacts(
        self,
        account_id: str,
        *,
        state: ListContactsState | Unset = UNSET,
        owner: str | Unset = UNSET,
        tag: list[str] | Unset = UNSET,
        clio_id: str | Unset = UNSET,
        q: str | Unset = UNSET,
        updated_since: datetime.datetime | Unset = UNSET,
        problem: ListContactsProblem | Unset = UNSET,
        order: ListContactsOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> ContactPage:
        """Return the contacts, in all states unless `state` is given, sorted by id unless `order` is
        given.

        Args:
            account_id: Levitate's id of the account.
            state: Only contacts in this state.
            owner: Only contacts of this owner: Levitate's id of the user. `none`: only contacts
                without an owner.
            tag: Only contacts with this tag. Case and extra spaces do not matter. If it is sent
                several times, a contact must have all of these tags.
            clio_id: Only the contact with this id in Clio.
            q: Only contacts who have, for each word of this text, a word that begins with it: of
                the names, the company's name, an email address or its domain, or the digits of a
                phone number. Four digits or more also find the end of a number, and a whole number
                the id in Clio. Case does not matter. Of more than eight words the longest count.
            updated_since: Only contacts whose last change is at this time or later.
            problem: Only contacts with this problem. `no_email`: they have no email address.
                `duplicate`: when they became clients, they looked like another client.
                `quarantined`: Clio's record cannot be read, so what is shown may be older.
            order: `newest` or `oldest` first, by `first_synced_at`. Without it the list is sorted by
                id.
            since: Only contacts whose `first_synced_at` is this time or later.
            until: Only contacts whose `first_synced_at` is before this time.
            count: Add `total`: how many items all pages of this list have together.
            cursor: `next_cursor` of the previous page, with the same filters. Leave it out for the
                first page.
            limit: The maximum number of items, 1 to 200.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _list_contacts.build(
                account_id=account_id,
                state=state,
                owner=owner,
                tag=tag,
                clio_id=clio_id,
                q=q,
                updated_since=updated_since,
                problem=problem,
                order=order,
                since=since,
                until=until,
                count=count,
                cursor=cursor,
                limit=limit,
            )
        )

    async def explain_contact(
        self,
        account_id: str,
        contact_id: str,
    ) -> Explained:
        """Explain why the contact is in or out of scope, why it has each tag and its owner, and who
        sees it in Clio.

        Args:
            account_id: Levitate's id of the account.
            contact_id: Our id of the contact (`con_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _explain_contact.build(
                account_id=account_id,
                contact_id=contact_id,
            )
        )

    async def record_preexisting_tags(
        self,
        account_id: str,
        contact_id: str,
        *,
        body: PreexistingIn,
    ) -> Preexisting:
        """Store the labels that the contact had before this service granted them. They are never
        removed.

        The response has all labels that are stored for the contact.

        Args:
            account_id: Levitate's id of the account.
            contact_id: Our id of the contact (`con_…`).
            body: Labels that the contact already had in Levitate before this service granted them.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _record_preexisting_tags.build(
                account_id=account_id,
                contact_id=contact_id,
                body=body,
            )
        )

    async def get_contact(
        self,
        account_id: str,
        contact_id: str,
        *,
        as_of: datetime.datetime | Unset = UNSET,
    ) -> Contact:
        """Return one contact with all fields as Levitate should store them; use it to repair a damaged
        copy.

        With `as_of` the contact is returned as it was at that time.

        Args:
            account_id: Levitate's id of the account.
            contact_id: Our id of the contact (`con_…`).
            as_of: Return the contact as it was at this time (RFC 3339 with an offset).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _get_contact.build(
                account_id=account_id,
                contact_id=contact_id,
                as_of=as_of,
            )
        )

    async def delete_contact(
        self,
        account_id: str,
        contact_id: str,
    ) -> None:
        """Erase one person: profile, history, activities and new-client row. The person is never
        synced again.

        The change feed gets one last line for the contact, `contact.erased`. The header `Location`
        has the address of the erasure's receipt.

        Args:
            account_id: Levitate's id of the account.
            contact_id: Our id of the contact (`con_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _delete_contact.build(
                account_id=account_id,
                contact_id=contact_id,
            )
        )

    async def summarize_contacts(
        self,
        account_id: str,
    ) -> ContactsSummary:
        """Return how many contacts there are in each state, with each tag, and of each owner.

        The contacts are counted in steps, so one that changes meanwhile may be counted as it was
        before.

        Args:
            account_id: Levitate's id of the account.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _summarize_contacts.build(
                account_id=account_id,
            )
        )

    async def get_contact_history(
        self,
        account_id: str,
        contact_id: str,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        order: GetContactHistoryOrder | Unset = UNSET,
        since: datetime.datetime | Unset = UNSET,
        until: datetime.datetime | Unset = UNSET,
        count: bool | Unset = UNSET,
    ) -> ChangePage:
        """Return every change of one contact: the values before and after, the cause and the run.
        Their time is `at`.

        Args:
            account_id: Levitate's id of the account.
            contact_id: Our id of the contact (`con_…`).
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.
            order: `newest` or `oldest` first, by the time of the items. Without it the list is sorted
                by id.
            since: Only items of this time or later (RFC 3339 with an offset).
            until: Only items before this time (RFC 3339 with an offset).
            count: Add `total`: how many items all pages of this list have together.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _get_contact_history.build(
                account_id=account_id,
                contact_id=contact_id,
                cursor=cursor,
                limit=limit,
                order=order,
                since=since,
                until=until,
                count=count,
            )
        )

    async def export_contact(
        self,
        account_id: str,
        contact_id: str,
    ) -> Export:
        """Return everything that is held about one person, as the rows of each table. The export is
        audited.

        Args:
            account_id: Levitate's id of the account.
            contact_id: Our id of the contact (`con_…`).

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _export_contact.build(
                account_id=account_id,
                contact_id=contact_id,
            )
        )

    async def list_clio_contacts(
        self,
        account_id: str,
        *,
        q: str | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
    ) -> ClioContactPage:
        """Search Clio's contacts that a login has shown, whether they are in Levitate or not, by
        Clio's id.

        Args:
            account_id: Levitate's id of the account.
            q: Only contacts who match this text, as in the list of contacts.
            cursor: `next_cursor` of the previous page. Leave it out for the first page.
            limit: The maximum number of items, 1 to 200.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _list_clio_contacts.build(
                account_id=account_id,
                q=q,
                cursor=cursor,
                limit=limit,
            )
        )

    async def explain_clio_contact(
        self,
        account_id: str,
        clio_id: str,
        *,
        look: bool | Unset = UNSET,
    ) -> ExplainedClioContact:
        """Explain why a contact of Clio is in Levitate or not, and what would bring it there.

        The rules decide again, by the records that were pulled and the present settings. With
        `look=true` a run asks Clio for a contact that no login has shown. The response is 404 then,
        too, and names the run.

        Args:
            account_id: Levitate's id of the account.
            clio_id: Clio's id of the contact.
            look: If no login has shown the contact, let the logins ask Clio for it.

        Raises:
            ApiError: The service refused. Its class says what to do next.
        """

        return await self._sender.call(
            _explain_clio_contact.build(
                account_id=account_id,
                clio_id=clio_id,
                look=look,
            )
        )
