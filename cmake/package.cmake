# package.cmake -- what `cmake --install` puts where, and the Debian package that CPack makes of it.
#
#     cmake --preset release && cmake --build build --target deb        # build/nabat_0.1.0_amd64.deb
#
# Man pages are made of --help (help2man), so they say what the programs say.
include(GNUInstallDirs)

install(TARGETS nabat nabat-prune nabat-log nabat-chart RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT programs)

set(manuals ${CMAKE_BINARY_DIR}/man)
add_custom_target(manuals
    COMMAND ${CMAKE_SOURCE_DIR}/deploy/debian/man.sh ${manuals} ${PROJECT_VERSION} $<TARGET_FILE:nabat> $<TARGET_FILE:nabat-prune> $<TARGET_FILE:nabat-log> $<TARGET_FILE:nabat-chart>
    DEPENDS nabat nabat-prune nabat-log nabat-chart VERBATIM)
install(DIRECTORY ${manuals}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT package EXCLUDE_FROM_ALL)
install(FILES deploy/systemd/nabat.service deploy/systemd/nabat-prune.service deploy/systemd/nabat-prune.timer
    DESTINATION lib/systemd/system COMPONENT package EXCLUDE_FROM_ALL)
install(FILES deploy/completions/nabat.bash RENAME nabat
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT package EXCLUDE_FROM_ALL)
install(FILES deploy/completions/nabat.bash RENAME nabat-prune
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT package EXCLUDE_FROM_ALL)
install(FILES deploy/completions/nabat.bash RENAME nabat-log
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT package EXCLUDE_FROM_ALL)
install(FILES deploy/completions/_nabat
    DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions COMPONENT package EXCLUDE_FROM_ALL)
install(FILES clients/c/nabat_client.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT package EXCLUDE_FROM_ALL)
install(FILES deploy/roles.sql DESTINATION ${CMAKE_INSTALL_DATADIR}/nabat COMPONENT package EXCLUDE_FROM_ALL)
install(DIRECTORY deploy/proxy deploy/cron DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples COMPONENT package EXCLUDE_FROM_ALL)
install(FILES README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT package EXCLUDE_FROM_ALL)
install(FILES LICENSE RENAME copyright DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT package EXCLUDE_FROM_ALL)
# secrets will stand in it
install(FILES .env.example RENAME nabat.env DESTINATION /etc/nabat PERMISSIONS OWNER_READ OWNER_WRITE
    COMPONENT package EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME nabat)
set(CPACK_PACKAGE_VENDOR "Nabat")
set(CPACK_PACKAGE_CONTACT "Nabat's founders <nabat@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "error tracker for teams that run Telegram bots")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Takes errors from any Sentry SDK, a JSON API or plain SQL, keeps them in
PostgreSQL, rings a Telegram chat when one is critical, and lets people work
them off there, by buttons and commands, and in psql.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL programs package)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE "")
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "ca-certificates, fonts-dejavu-core, tzdata")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "postgresql (>= 14)")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/deploy/debian/conffiles
    ${CMAKE_SOURCE_DIR}/deploy/debian/postinst ${CMAKE_SOURCE_DIR}/deploy/debian/prerm
    ${CMAKE_SOURCE_DIR}/deploy/debian/postrm)
include(CPack)

add_custom_target(deb COMMAND ${CMAKE_CPACK_COMMAND} --config ${CMAKE_BINARY_DIR}/CPackConfig.cmake
    WORKING_DIRECTORY ${CMAKE_BINARY_DIR} DEPENDS manuals VERBATIM)
