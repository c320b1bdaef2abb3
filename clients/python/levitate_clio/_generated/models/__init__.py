"""Contains all the data models used in inputs/outputs"""

from .account import Account
from .account_console_link_in import AccountConsoleLinkIn
from .account_console_link_in_role import AccountConsoleLinkInRole
from .account_in import AccountIn
from .account_in_publish_type_0 import AccountInPublishType0
from .activity import Activity
from .activity_batch import ActivityBatch
from .activity_batch_answer import ActivityBatchAnswer
from .activity_in import ActivityIn
from .activity_in_body_format import ActivityInBodyFormat
from .activity_in_direction_type_0 import ActivityInDirectionType0
from .activity_page import ActivityPage
from .address import Address
from .attorney import Attorney
from .attorney_in import AttorneyIn
from .attorney_page import AttorneyPage
from .audit_entry import AuditEntry
from .audit_entry_page import AuditEntryPage
from .catalog import Catalog
from .catalog_field import CatalogField
from .catalog_practice_area import CatalogPracticeArea
from .catalog_stage import CatalogStage
from .catalog_user import CatalogUser
from .change import Change
from .change_feed_page import ChangeFeedPage
from .change_fields import ChangeFields
from .change_page import ChangePage
from .clio_contact import ClioContact
from .clio_contact_page import ClioContactPage
from .clio_firm import ClioFirm
from .clio_record import ClioRecord
from .clio_usage import ClioUsage
from .clio_user import ClioUser
from .code_detail import CodeDetail
from .company import Company
from .connect_link import ConnectLink
from .connect_link_in import ConnectLinkIn
from .connection import Connection
from .connection_in import ConnectionIn
from .connection_page import ConnectionPage
from .considered_matter import ConsideredMatter
from .console_link import ConsoleLink
from .console_link_in import ConsoleLinkIn
from .contact import Contact
from .contact_page import ContactPage
from .contacts_summary import ContactsSummary
from .coverage import Coverage
from .custom_field_tag import CustomFieldTag
from .decided_new_clients import DecidedNewClients
from .decision import Decision
from .delivery import Delivery
from .delivery_page import DeliveryPage
from .email import Email
from .erasure import Erasure
from .erasure_subject import ErasureSubject
from .event import Event
from .event_kind import EventKind
from .event_page import EventPage
from .explained import Explained
from .explained_clio_contact import ExplainedClioContact
from .explained_owner import ExplainedOwner
from .explained_scope import ExplainedScope
from .explained_tag import ExplainedTag
from .export import Export
from .export_held import ExportHeld
from .field_change import FieldChange
from .field_option import FieldOption
from .field_problem import FieldProblem
from .fleet import Fleet
from .fleet_health import FleetHealth
from .get_contact_history_order import GetContactHistoryOrder
from .get_run_report_format import GetRunReportFormat
from .health import Health
from .health_reason import HealthReason
from .hold import Hold
from .hold_decision import HoldDecision
from .hold_item import HoldItem
from .hold_item_page import HoldItemPage
from .hold_page import HoldPage
from .issue import Issue
from .issue_page import IssuePage
from .issue_subject import IssueSubject
from .key_fact_settings import KeyFactSettings
from .list_accounts_health import ListAccountsHealth
from .list_accounts_order import ListAccountsOrder
from .list_activities_kind import ListActivitiesKind
from .list_activities_order import ListActivitiesOrder
from .list_activities_status import ListActivitiesStatus
from .list_audit_order import ListAuditOrder
from .list_connections_order import ListConnectionsOrder
from .list_contacts_order import ListContactsOrder
from .list_contacts_problem import ListContactsProblem
from .list_contacts_state import ListContactsState
from .list_deliveries_order import ListDeliveriesOrder
from .list_deliveries_status import ListDeliveriesStatus
from .list_holds_order import ListHoldsOrder
from .list_holds_status import ListHoldsStatus
from .list_issues_order import ListIssuesOrder
from .list_issues_severity import ListIssuesSeverity
from .list_issues_status import ListIssuesStatus
from .list_new_clients_order import ListNewClientsOrder
from .list_new_clients_origin import ListNewClientsOrigin
from .list_new_clients_status import ListNewClientsStatus
from .list_runs_kind import ListRunsKind
from .list_runs_order import ListRunsOrder
from .list_runs_status import ListRunsStatus
from .list_runs_trigger import ListRunsTrigger
from .list_service_audit_order import ListServiceAuditOrder
from .list_settings_versions_order import ListSettingsVersionsOrder
from .list_webhook_endpoints_order import ListWebhookEndpointsOrder
from .listed_account import ListedAccount
from .listed_account_page import ListedAccountPage
from .location_tags import LocationTags
from .many_new_clients import ManyNewClients
from .many_new_clients_action import ManyNewClientsAction
from .matter_tags import MatterTags
from .needed_change import NeededChange
from .new_client import NewClient
from .new_client_delivery import NewClientDelivery
from .new_client_filter import NewClientFilter
from .new_client_filter_origin_type_0 import NewClientFilterOriginType0
from .new_client_page import NewClientPage
from .new_client_settings import NewClientSettings
from .new_clients_summary import NewClientsSummary
from .new_clients_summary_by_basis import NewClientsSummaryByBasis
from .new_clients_summary_by_held_for import NewClientsSummaryByHeldFor
from .not_granted import NotGranted
from .owner import Owner
from .owner_change import OwnerChange
from .owner_count import OwnerCount
from .owner_rule_count import OwnerRuleCount
from .ownership_settings import OwnershipSettings
from .part_health import PartHealth
from .phone import Phone
from .practice_area_tags import PracticeAreaTags
from .preexisting import Preexisting
from .preexisting_in import PreexistingIn
from .preview import Preview
from .preview_in import PreviewIn
from .preview_summary import PreviewSummary
from .preview_summary_by_state_reason import PreviewSummaryByStateReason
from .preview_summary_tags_added import PreviewSummaryTagsAdded
from .preview_summary_tags_removed import PreviewSummaryTagsRemoved
from .previewed_change import PreviewedChange
from .previewed_change_fields import PreviewedChangeFields
from .privacy_settings import PrivacySettings
from .problem import Problem
from .progress import Progress
from .pulled_records import PulledRecords
from .readiness import Readiness
from .recorded_one import RecordedOne
from .redelivery_in import RedeliveryIn
from .redelivery_in_status_type_0 import RedeliveryInStatusType0
from .refused_one import RefusedOne
from .related_practice_area_tags import RelatedPracticeAreaTags
from .release_decision import ReleaseDecision
from .reported_record import ReportedRecord
from .restricted_matters import RestrictedMatters
from .role import Role
from .run import Run
from .run_counts import RunCounts
from .run_in import RunIn
from .run_in_kind_type_0 import RunInKindType0
from .run_notes import RunNotes
from .run_page import RunPage
from .run_problem import RunProblem
from .run_report import RunReport
from .scope_settings import ScopeSettings
from .segment import Segment
from .settings import Settings
from .settings_saved import SettingsSaved
from .settings_version import SettingsVersion
from .settings_version_page import SettingsVersionPage
from .skipped_new_client import SkippedNewClient
from .started_connection import StartedConnection
from .state_count import StateCount
from .status import Status
from .status_connections import StatusConnections
from .status_contacts import StatusContacts
from .switch import Switch
from .tag import Tag
from .tag_count import TagCount
from .tag_grant import TagGrant
from .tag_settings import TagSettings
from .user import User
from .user_list import UserList
from .users_in import UsersIn
from .webhook_endpoint import WebhookEndpoint
from .webhook_endpoint_in import WebhookEndpointIn
from .webhook_endpoint_page import WebhookEndpointPage
from .webhook_endpoint_patch import WebhookEndpointPatch
from .webhook_endpoint_test import WebhookEndpointTest
from .webhook_endpoint_with_secret import WebhookEndpointWithSecret
from .writeback_settings import WritebackSettings

__all__ = (
    "Account",
    "AccountConsoleLinkIn",
    "AccountConsoleLinkInRole",
    "AccountIn",
    "AccountInPublishType0",
    "Activity",
    "ActivityBatch",
    "ActivityBatchAnswer",
    "ActivityIn",
    "ActivityInBodyFormat",
    "ActivityInDirectionType0",
    "ActivityPage",
    "Address",
    "Attorney",
    "AttorneyIn",
    "AttorneyPage",
    "AuditEntry",
    "AuditEntryPage",
    "Catalog",
    "CatalogField",
    "CatalogPracticeArea",
    "CatalogStage",
    "CatalogUser",
    "Change",
    "ChangeFeedPage",
    "ChangeFields",
    "ChangePage",
    "ClioContact",
    "ClioContactPage",
    "ClioFirm",
    "ClioRecord",
    "ClioUsage",
    "ClioUser",
    "CodeDetail",
    "Company",
    "Connection",
    "ConnectionIn",
    "ConnectionPage",
    "ConnectLink",
    "ConnectLinkIn",
    "ConsideredMatter",
    "ConsoleLink",
    "ConsoleLinkIn",
    "Contact",
    "ContactPage",
    "ContactsSummary",
    "Coverage",
    "CustomFieldTag",
    "DecidedNewClients",
    "Decision",
    "Delivery",
    "DeliveryPage",
    "Email",
    "Erasure",
    "ErasureSubject",
    "Event",
    "EventKind",
    "EventPage",
    "Explained",
    "ExplainedClioContact",
    "ExplainedOwner",
    "ExplainedScope",
    "ExplainedTag",
    "Export",
    "ExportHeld",
    "FieldChange",
    "FieldOption",
    "FieldProblem",
    "Fleet",
    "FleetHealth",
    "GetContactHistoryOrder",
    "GetRunReportFormat",
    "Health",
    "HealthReason",
    "Hold",
    "HoldDecision",
    "HoldItem",
    "HoldItemPage",
    "HoldPage",
    "Issue",
    "IssuePage",
    "IssueSubject",
    "KeyFactSettings",
    "ListAccountsHealth",
    "ListAccountsOrder",
    "ListActivitiesKind",
    "ListActivitiesOrder",
    "ListActivitiesStatus",
    "ListAuditOrder",
    "ListConnectionsOrder",
    "ListContactsOrder",
    "ListContactsProblem",
    "ListContactsState",
    "ListDeliveriesOrder",
    "ListDeliveriesStatus",
    "ListedAccount",
    "ListedAccountPage",
    "ListHoldsOrder",
    "ListHoldsStatus",
    "ListIssuesOrder",
    "ListIssuesSeverity",
    "ListIssuesStatus",
    "ListNewClientsOrder",
    "ListNewClientsOrigin",
    "ListNewClientsStatus",
    "ListRunsKind",
    "ListRunsOrder",
    "ListRunsStatus",
    "ListRunsTrigger",
    "ListServiceAuditOrder",
    "ListSettingsVersionsOrder",
    "ListWebhookEndpointsOrder",
    "LocationTags",
    "ManyNewClients",
    "ManyNewClientsAction",
    "MatterTags",
    "NeededChange",
    "NewClient",
    "NewClientDelivery",
    "NewClientFilter",
    "NewClientFilterOriginType0",
    "NewClientPage",
    "NewClientSettings",
    "NewClientsSummary",
    "NewClientsSummaryByBasis",
    "NewClientsSummaryByHeldFor",
    "NotGranted",
    "Owner",
    "OwnerChange",
    "OwnerCount",
    "OwnerRuleCount",
    "OwnershipSettings",
    "PartHealth",
    "Phone",
    "PracticeAreaTags",
    "Preexisting",
    "PreexistingIn",
    "Preview",
    "PreviewedChange",
    "PreviewedChangeFields",
    "PreviewIn",
    "PreviewSummary",
    "PreviewSummaryByStateReason",
    "PreviewSummaryTagsAdded",
    "PreviewSummaryTagsRemoved",
    "PrivacySettings",
    "Problem",
    "Progress",
    "PulledRecords",
    "Readiness",
    "RecordedOne",
    "RedeliveryIn",
    "RedeliveryInStatusType0",
    "RefusedOne",
    "RelatedPracticeAreaTags",
    "ReleaseDecision",
    "ReportedRecord",
    "RestrictedMatters",
    "Role",
    "Run",
    "RunCounts",
    "RunIn",
    "RunInKindType0",
    "RunNotes",
    "RunPage",
    "RunProblem",
    "RunReport",
    "ScopeSettings",
    "Segment",
    "Settings",
    "SettingsSaved",
    "SettingsVersion",
    "SettingsVersionPage",
    "SkippedNewClient",
    "StartedConnection",
    "StateCount",
    "Status",
    "StatusConnections",
    "StatusContacts",
    "Switch",
    "Tag",
    "TagCount",
    "TagGrant",
    "TagSettings",
    "User",
    "UserList",
    "UsersIn",
    "WebhookEndpoint",
    "WebhookEndpointIn",
    "WebhookEndpointPage",
    "WebhookEndpointPatch",
    "WebhookEndpointTest",
    "WebhookEndpointWithSecret",
    "WritebackSettings",
)
