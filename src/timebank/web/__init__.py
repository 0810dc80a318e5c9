"""The pages people read: one page object and one handler per page, by who looks at it.

A page goes handler, query, template. A template prints, loops and tests, nothing more; whatever it
prints was made ready in `format.py` and said in the reader's language by `catalog.py`.
"""

from timebank.web import district, honours, organizer, policies, public, scan, volunteer

HANDLERS = [
    public.show_landing,
    public.show_sign_in,
    public.create_code,
    public.create_sign_in,
    public.show_home,
    public.create_sign_out,
    public.create_preference,
    public.show_enrolment,
    public.create_enrolment,
    public.show_outbox,
    public.create_demo_sign_in,
    public.show_asset,
    public.show_components,
    scan.create_receipt,
    scan.show_confirmation,
    scan.create_checkin,
    district.show_overview,
    district.show_csv,
    district.show_xlsx,
    policies.show_policies,
    policies.show_policy,
    policies.create_run,
    honours.show_honours,
    volunteer.show_home,
    volunteer.show_activities,
    volunteer.show_activity,
    volunteer.create_signup,
    volunteer.create_withdrawal,
    volunteer.show_records,
    organizer.show_day,
    organizer.show_new_activity,
    organizer.create_activity,
    organizer.show_own_activity,
    organizer.create_shift,
    organizer.show_shift,
    organizer.create_closure,
    organizer.show_code,
    organizer.show_code_fragment,
]
"""Every page that the framework routes."""
