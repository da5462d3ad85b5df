"""Countries and their capitals: well known, undisputed, each name one word."""

from __future__ import annotations

_TABLE = """
Albania Tirana; Algeria Algiers; Angola Luanda; Armenia Yerevan; Australia Canberra; Austria Vienna;
Azerbaijan Baku; Bahrain Manama; Bangladesh Dhaka; Barbados Bridgetown; Belarus Minsk;
Belgium Brussels; Belize Belmopan; Bhutan Thimphu; Botswana Gaborone; Brazil Brasilia;
Bulgaria Sofia; Cameroon Yaounde; Canada Ottawa; Chad Ndjamena; Chile Santiago; China Beijing;
Colombia Bogota; Croatia Zagreb; Cuba Havana; Cyprus Nicosia; Czechia Prague; Denmark Copenhagen;
Dominica Roseau; Ecuador Quito; Egypt Cairo; Eritrea Asmara; Estonia Tallinn; Fiji Suva;
Finland Helsinki; France Paris; Gabon Libreville; Georgia Tbilisi; Germany Berlin; Ghana Accra;
Greece Athens; Guinea Conakry; Guyana Georgetown; Hungary Budapest; Iceland Reykjavik; Iran Tehran;
Iraq Baghdad; Ireland Dublin; Italy Rome; Jamaica Kingston; Japan Tokyo; Jordan Amman;
Kenya Nairobi; Laos Vientiane; Latvia Riga; Lebanon Beirut; Lesotho Maseru; Liberia Monrovia;
Libya Tripoli; Lithuania Vilnius; Madagascar Antananarivo; Malawi Lilongwe; Mali Bamako;
Malta Valletta; Mauritania Nouakchott; Moldova Chisinau; Mongolia Ulaanbaatar; Montenegro Podgorica;
Morocco Rabat; Mozambique Maputo; Namibia Windhoek; Nepal Kathmandu; Netherlands Amsterdam;
Nicaragua Managua; Niger Niamey; Nigeria Abuja; Norway Oslo; Oman Muscat; Pakistan Islamabad;
Paraguay Asuncion; Peru Lima; Philippines Manila; Poland Warsaw; Portugal Lisbon; Qatar Doha;
Romania Bucharest; Russia Moscow; Rwanda Kigali; Samoa Apia; Senegal Dakar; Serbia Belgrade;
Seychelles Victoria; Slovakia Bratislava; Slovenia Ljubljana; Somalia Mogadishu; Spain Madrid;
Sudan Khartoum; Suriname Paramaribo; Sweden Stockholm; Switzerland Bern; Syria Damascus;
Tajikistan Dushanbe; Thailand Bangkok; Togo Lome; Tonga Nukualofa; Tunisia Tunis; Turkey Ankara;
Turkmenistan Ashgabat; Uganda Kampala; Ukraine Kyiv; Uruguay Montevideo; Uzbekistan Tashkent;
Venezuela Caracas; Vietnam Hanoi; Yemen Sanaa; Zambia Lusaka; Zimbabwe Harare
"""

#: Capital of every country, countries in alphabetical order.
CAPITALS: dict[str, str] = dict(row.split() for row in _TABLE.split(";"))
