"""From rules to publication: assessments, shrink guard, new clients, holds, preview, settings."""
