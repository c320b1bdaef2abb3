"""Contains all the data models used in inputs/outputs"""

from .account import Account
from .account_in import AccountIn
from .account_in_publish_type_0 import AccountInPublishType0
from .activity import Activity
from .activity_batch import ActivityBatch
from .activity_batch_answer import ActivityBatchAnswer
from .activity_in import ActivityIn
from .activity_in_body_format import ActivityInBodyFormat
from .activity_in_direction_type_0 import ActivityInDirectionType0
from .address import Address
from .attorney import Attorney
from .attorney_in import AttorneyIn
from .audit_entry import AuditEntry
from .catalog import Catalog
from .catalog_field import CatalogField
from .catalog_practice_area import CatalogPracticeArea
from .catalog_stage import CatalogStage
from .catalog_user import CatalogUser
from .change import Change
from .change_fields import ChangeFields
from .change_page import ChangePage
from .clio_contact import ClioContact
from .clio_firm import ClioFirm
from .clio_usage import ClioUsage
from .clio_user import ClioUser
from .code_detail import CodeDetail
from .company import Company
from .connect_link import ConnectLink
from .connect_link_in import ConnectLinkIn
from .connection import Connection
from .connection_in import ConnectionIn
from .considered_matter import ConsideredMatter
from .contact import Contact
from .contacts_summary import ContactsSummary
from .counts import Counts
from .coverage import Coverage
from .custom_field_tag import CustomFieldTag
from .decided_new_clients import DecidedNewClients
from .decision import Decision
from .delivery import Delivery
from .email import Email
from .endpoint import Endpoint
from .endpoint_in import EndpointIn
from .endpoint_patch import EndpointPatch
from .endpoint_test import EndpointTest
from .endpoint_with_secret import EndpointWithSecret
from .erasure import Erasure
from .erasure_subject import ErasureSubject
from .event import Event
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
from .get_report_format import GetReportFormat
from .grant import Grant
from .health import Health
from .health_reason import HealthReason
from .hold import Hold
from .hold_decision import HoldDecision
from .hold_item import HoldItem
from .in_clio import InClio
from .issue import Issue
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
from .list_endpoints_order import ListEndpointsOrder
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
from .listed_account import ListedAccount
from .location_tags import LocationTags
from .many_new_clients import ManyNewClients
from .many_new_clients_action import ManyNewClientsAction
from .matter_tags import MatterTags
from .need import Need
from .new_client import NewClient
from .new_client_delivery import NewClientDelivery
from .new_client_filter import NewClientFilter
from .new_client_filter_origin_type_0 import NewClientFilterOriginType0
from .new_client_settings import NewClientSettings
from .new_clients_summary import NewClientsSummary
from .new_clients_summary_by_basis import NewClientsSummaryByBasis
from .new_clients_summary_by_held_for import NewClientsSummaryByHeldFor
from .not_granted import NotGranted
from .noted import Noted
from .outcome_body import Outcome
from .owner import Owner
from .owner_change import OwnerChange
from .owner_count import OwnerCount
from .owner_rule_count import OwnerRuleCount
from .ownership_settings import OwnershipSettings
from .page_activity import PageActivity
from .page_attorney import PageAttorney
from .page_audit_entry import PageAuditEntry
from .page_change import PageChange
from .page_clio_contact import PageClioContact
from .page_connection import PageConnection
from .page_contact import PageContact
from .page_delivery import PageDelivery
from .page_endpoint import PageEndpoint
from .page_hold import PageHold
from .page_hold_item import PageHoldItem
from .page_issue import PageIssue
from .page_listed_account import PageListedAccount
from .page_new_client import PageNewClient
from .page_run import PageRun
from .page_settings_version import PageSettingsVersion
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
from .pulled import Pulled
from .readiness import Readiness
from .recorded_one import RecordedOne
from .redelivery_in import RedeliveryIn
from .redelivery_in_status_type_0 import RedeliveryInStatusType0
from .refused_one import RefusedOne
from .related_practice_area_tags import RelatedPracticeAreaTags
from .release_decision import ReleaseDecision
from .restricted_matters import RestrictedMatters
from .role import Role
from .run import Run
from .run_in import RunIn
from .run_in_kind_type_0 import RunInKindType0
from .run_problem import RunProblem
from .run_report import RunReport
from .scope_settings import ScopeSettings
from .segment import Segment
from .settings import Settings
from .settings_saved import SettingsSaved
from .settings_version import SettingsVersion
from .skipped_new_client import SkippedNewClient
from .started import Started
from .state_count import StateCount
from .status import Status
from .status_connections import StatusConnections
from .status_contacts import StatusContacts
from .subject import Subject
from .switch import Switch
from .tag import Tag
from .tag_count import TagCount
from .tag_settings import TagSettings
from .user import User
from .users_body import Users
from .users_in import UsersIn
from .writeback_settings import WritebackSettings

__all__ = (
    "Account",
    "AccountIn",
    "AccountInPublishType0",
    "Activity",
    "ActivityBatch",
    "ActivityBatchAnswer",
    "ActivityIn",
    "ActivityInBodyFormat",
    "ActivityInDirectionType0",
    "Address",
    "Attorney",
    "AttorneyIn",
    "AuditEntry",
    "Catalog",
    "CatalogField",
    "CatalogPracticeArea",
    "CatalogStage",
    "CatalogUser",
    "Change",
    "ChangeFields",
    "ChangePage",
    "ClioContact",
    "ClioFirm",
    "ClioUsage",
    "ClioUser",
    "CodeDetail",
    "Company",
    "Connection",
    "ConnectionIn",
    "ConnectLink",
    "ConnectLinkIn",
    "ConsideredMatter",
    "Contact",
    "ContactsSummary",
    "Counts",
    "Coverage",
    "CustomFieldTag",
    "DecidedNewClients",
    "Decision",
    "Delivery",
    "Email",
    "Endpoint",
    "EndpointIn",
    "EndpointPatch",
    "EndpointTest",
    "EndpointWithSecret",
    "Erasure",
    "ErasureSubject",
    "Event",
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
    "GetReportFormat",
    "Grant",
    "Health",
    "HealthReason",
    "Hold",
    "HoldDecision",
    "HoldItem",
    "InClio",
    "Issue",
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
    "ListEndpointsOrder",
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
    "LocationTags",
    "ManyNewClients",
    "ManyNewClientsAction",
    "MatterTags",
    "Need",
    "NewClient",
    "NewClientDelivery",
    "NewClientFilter",
    "NewClientFilterOriginType0",
    "NewClientSettings",
    "NewClientsSummary",
    "NewClientsSummaryByBasis",
    "NewClientsSummaryByHeldFor",
    "Noted",
    "NotGranted",
    "Outcome",
    "Owner",
    "OwnerChange",
    "OwnerCount",
    "OwnerRuleCount",
    "OwnershipSettings",
    "PageActivity",
    "PageAttorney",
    "PageAuditEntry",
    "PageChange",
    "PageClioContact",
    "PageConnection",
    "PageContact",
    "PageDelivery",
    "PageEndpoint",
    "PageHold",
    "PageHoldItem",
    "PageIssue",
    "PageListedAccount",
    "PageNewClient",
    "PageRun",
    "PageSettingsVersion",
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
    "Pulled",
    "Readiness",
    "RecordedOne",
    "RedeliveryIn",
    "RedeliveryInStatusType0",
    "RefusedOne",
    "RelatedPracticeAreaTags",
    "ReleaseDecision",
    "RestrictedMatters",
    "Role",
    "Run",
    "RunIn",
    "RunInKindType0",
    "RunProblem",
    "RunReport",
    "ScopeSettings",
    "Segment",
    "Settings",
    "SettingsSaved",
    "SettingsVersion",
    "SkippedNewClient",
    "Started",
    "StateCount",
    "Status",
    "StatusConnections",
    "StatusContacts",
    "Subject",
    "Switch",
    "Tag",
    "TagCount",
    "TagSettings",
    "User",
    "Users",
    "UsersIn",
    "WritebackSettings",
)
