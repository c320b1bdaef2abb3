"""The most that is taken of each text and list from Clio, in characters and parts (docs/internals.md).

Clio documents no lengths. A text for people that is longer is cut. An e-mail address or a phone number is set aside
instead, because its beginning is another address or number. What this service never stores has no ceiling of its own.
"""

TEXT = 1_000  # names, titles, descriptions, kinds, lines of an address
EMAIL = 320  # an address that can be delivered has at most 254
PHONE = 500  # a number, or several of them, with remarks
VALUE = 10_000  # the text of a custom field
SECRET = 2_000  # a URL or a secret of a webhook subscription
TOKEN = 8_000  # an access or refresh token, which must fit into a header
PARTS = 100  # e-mail addresses, phone numbers, addresses, roles, external properties; Clio allows 20 or fewer
VALUES = 2_000  # custom field values of a contact, options of a picklist
TOKENS_OF_JSON = 500_000  # strings, brackets and commas of a page that must be taken apart
SET_ASIDE = frozenset({"address", "number", "email", "url", "shared_secret"})  # never cut
